import type { LedgerView, Period, VerifiedSignatures } from "@veilgrid/protocol";
import type { Clock } from "../ports/clock.js";
import type { LedgerClient } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import type { Store } from "../ports/store.js";
import type { Transport } from "../ports/transport.js";
import type { Verifier } from "../ports/verifier.js";
import { Agenda } from "./agenda.js";
import { Answers } from "./answers.js";
import { Authentication } from "./authentication.js";
import { Ballots } from "./ballots.js";
import { Bodies } from "./bodies.js";
import { Election, type ElectionOptions } from "./election.js";
import { Epochs } from "./epochs.js";
import { Forwarding } from "./forwarding.js";
import { Freeze } from "./freeze.js";
import { Inbox } from "./inbox.js";
import { Intake } from "./intake.js";
import { ListExchange } from "./list-exchange.js";
import { Lists } from "./lists.js";
import { Membership } from "./membership.js";
import { Periods } from "./periods.js";
import { Pools } from "./pool.js";
import { Proposer, type Conduct } from "./proposer.js";
import { Voter } from "./voter.js";

/** The ports of an aggregator, and what it shares with the process. */
export interface AggregatorModules {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly store: Store;
  readonly ledger: LedgerClient;
  /** The state of the DA's own peer. */
  readonly view: LedgerView;
  readonly random: Random;
  readonly memory: VerifiedSignatures;
  /** Checks readings' signatures off the event loop; without one they are checked where they are needed. */
  readonly verifier?: Verifier;
  readonly log: Log;
}

/** What the parts of an aggregator are told, and how they tell it what they notice. */
export interface PartsOptions extends ElectionOptions {
  readonly secrets: readonly [Uint8Array, ...Uint8Array[]];
  readonly bundleMs: number;
  readonly gatherMs: number;
  readonly conduct: Conduct;
  /** Whether a period's block is committed. */
  readonly isDone: (region: number, period: Period) => boolean;
  /** Something may have become due on a chain. */
  readonly onReview: (chain: number) => Promise<void>;
}

/** The parts of an aggregator, each of which does one thing. */
export interface Parts {
  readonly membership: Membership;
  readonly answers: Answers;
  readonly epochs: Epochs;
  readonly lists: Lists;
  readonly pools: Pools;
  readonly periods: Periods;
  readonly freeze: Freeze;
  readonly intake: Intake;
  readonly forwarding: Forwarding;
  readonly bodies: Bodies;
  readonly inbox: Inbox;
  readonly listExchange: ListExchange;
  readonly agenda: Agenda;
  readonly voter: Voter;
  readonly proposer: Proposer;
  readonly election: Election;
}

/** Makes the parts and puts them together: the only place that knows which needs which. */
export function compose(options: PartsOptions, ports: AggregatorModules): Parts {
  const membership = new Membership(options.secrets, ports);
  const basis = { ...ports, membership };
  const answers = new Answers(basis);
  const readings = { ...basis, answers, ...readingParts(options, basis) };
  const inbox = new Inbox(basis);
  const listExchange = new ListExchange(
    { onComplete: options.onReview },
    { ...readings, inbox, isDone: options.isDone },
  );
  const agenda = new Agenda({ ...readings, inbox });
  const ballots = new Ballots(ports);
  const voter = new Voter({ ...readings, ballots, listExchange, inbox });
  const proposer = new Proposer(options, { ...readings, agenda, inbox, voter, ballots });
  const authentication = new Authentication(readings);
  const intake = new Intake(options, { ...readings, authentication });
  const forwarding = new Forwarding(readings);
  const election = new Election(options, { ...basis, answers });
  return { ...readings, inbox, listExchange, agenda, voter, proposer, intake, forwarding, election };
}

/** The parts that readings and their lists live in. */
function readingParts(
  options: PartsOptions,
  basis: AggregatorModules & { readonly membership: Membership },
): Pick<Parts, "epochs" | "lists" | "pools" | "periods" | "freeze" | "bodies"> {
  const epochs = new Epochs(basis);
  const lists = new Lists(basis);
  const pools = new Pools(basis);
  const periods = new Periods({ ...basis, epochs, lists, pools });
  const onFrozen = async (regions: readonly number[]): Promise<void> => {
    for (const region of regions) await options.onReview(region);
  };
  const freeze = new Freeze({ onFrozen }, { ...basis, epochs });
  const bodies = new Bodies({ ...basis, pools, periods });
  return { epochs, lists, pools, periods, freeze, bodies };
}
