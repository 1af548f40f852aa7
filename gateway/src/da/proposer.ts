import { KIND, isVeilgridError, sha256, type LedgerView } from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";
import type { LedgerClient } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { Transport } from "../ports/transport.js";
import type { Agenda, Item } from "./agenda.js";
import type { Ballots } from "./ballots.js";
import type { Bodies } from "./bodies.js";
import { draft, issuedContent, readingsContent, type Content, type Draft, type Place } from "./draft.js";
import type { Inbox } from "./inbox.js";
import type { Membership } from "./membership.js";
import { hexOf } from "./names.js";
import type { OpenPeriod, Periods } from "./periods.js";
import { atMostTwo, type HeldReading } from "./pool.js";
import { Tally } from "./tally.js";
import type { Voter } from "./voter.js";

/** The shortest time between two rounds that bring nothing new, and before a submission is tried again. */
const RETRY_MS = 1_000;

/** How a leader forms readings blocks. The honest one leaves nothing out; tests give others. */
export interface Conduct {
  /** The readings of a block out of all that it should hold. */
  select(readings: readonly HeldReading[]): readonly HeldReading[];
}

/** "The leader forms it as the union of what it holds". */
export const HONEST: Conduct = { select: (readings) => readings };

/** A block in the making: rounds of proposals for one number of one chain. */
interface Making {
  readonly chain: number;
  readonly number: bigint;
  readonly term: bigint;
  readonly prev: Uint8Array;
  /** TS of the block before. */
  readonly prevTs: bigint;
  round: number;
  /** Rounds that ended because their time was over. */
  late: number;
  timer: Timer | undefined;
  /** The round whose answers count; none while a certificate is on its way to the ledger. */
  current: Round | undefined;
  /** The period of a readings block. */
  open: OpenPeriod | undefined;
}

/** One round: what was proposed and what came back. */
interface Round {
  readonly content: Content;
  readonly made: Draft;
  readonly tally: Tally;
  /** When its time is over, Unix milliseconds. */
  readonly end: number;
  /** Whether an *incomplete* brought readings that the next round has more. */
  fresh: boolean;
}

/**
 * The leader's part of vPBFT (PROTOCOL section 4, Consensus): for each chain one block at a time, in rounds. "The leader
 * waits for Q votes, or for all W answers, or for `roundSeconds` (from the third round of a block that ends so, one
 * `roundSeconds` longer each time); with Q votes it is done, otherwise the next `round` has every verified reading named so
 * far, at most two of a PRID." (Were all rounds of one length, DAs that need longer for a vote would never agree; as in
 * Tendermint.)
 */
export class Proposer {
  readonly #gatherMs: number;
  readonly #conduct: Conduct;
  readonly #modules: ProposerModules;
  readonly #making = new Map<number, Making>();
  /** By chain: what tells a beginning that is under way that it is over before it was one. */
  readonly #beginning = new Map<number, object>();
  #gathering: Timer | undefined;

  /** @param options.gatherMs how long chain 0 waits for more after the first that is ready, milliseconds. */
  constructor(options: { readonly gatherMs: number; readonly conduct: Conduct }, modules: ProposerModules) {
    this.#gatherMs = options.gatherMs;
    this.#conduct = options.conduct;
    this.#modules = modules;
  }

  /** Starts on a chain's next block, if there is something for it and this DA leads. */
  async drive(chain: number): Promise<void> {
    if (this.#making.has(chain) || this.#modules.agenda.dueOn(chain) === undefined || !(await this.#leads())) return;
    if (chain > 0) return this.#begin(chain);
    // "chain 0 batches over regions": what comes in within a moment goes into one block.
    const { clock } = this.#modules;
    this.#gathering ??= clock.at(clock.now() + this.#gatherMs, "gather chain 0", () => {
      this.#gathering = undefined;
      return this.#begin(0);
    });
    return undefined;
  }

  /** A block of the chain is committed: whatever was in the making there is over. */
  close(chain: number): void {
    const making = this.#making.get(chain);
    making?.timer?.cancel();
    this.#making.delete(chain);
    this.#beginning.delete(chain);
  }

  /** Another leads now, or nobody. */
  resign(): void {
    for (const chain of [...this.#making.keys(), ...this.#beginning.keys()]) this.close(chain);
    this.#gathering?.cancel();
    this.#gathering = undefined;
  }

  async #leads(): Promise<boolean> {
    const { leader } = await this.#modules.view.term();
    return leader !== undefined && this.#modules.membership.isOwn(leader);
  }

  async #begin(chain: number): Promise<void> {
    if (this.#making.has(chain) || this.#beginning.has(chain)) return;
    const beginning = {};
    this.#beginning.set(chain, beginning);
    const making = await this.#place(chain);
    if (this.#beginning.get(chain) !== beginning) return;
    this.#beginning.delete(chain);
    if (making === undefined) return;
    this.#making.set(chain, making);
    await this.#propose(making);
  }

  /** The chain's next place, if this DA leads. */
  async #place(chain: number): Promise<Making | undefined> {
    if (!(await this.#leads())) return undefined;
    const { view, ballots } = this.#modules;
    const [{ term }, head] = [await view.term(), await view.head(chain)];
    const number = head.number + 1n;
    // A leader that was killed, or begins anew, goes on in the round after its last.
    const last = ballots.last(chain);
    const round = last?.number === number && last.term === term ? last.round + 1 : 0;
    const place = { chain, number, term, prev: head.cbh, prevTs: head.ts, round };
    return { ...place, late: 0, timer: undefined, current: undefined, open: undefined };
  }

  /** One round: forms the block anew, asks everybody for a vote, oneself first. */
  async #propose(making: Making): Promise<void> {
    making.timer?.cancel();
    // Of the round before nothing counts any more.
    making.current = undefined;
    const content = await this.#content(making);
    if (this.#making.get(making.chain) !== making) return;
    if (content === undefined) {
      this.close(making.chain);
      return;
    }
    const { ballots, clock, membership, transport, voter } = this.#modules;
    const began = clock.now();
    const made = draft(content, { ...placeOf(making), ts: later(began, making.prevTs) }, membership);
    const tally = new Tally(made, content.params, this.#modules);
    const end = began + content.params.roundSeconds * 1000 * Math.max(1, making.late);
    const round: Round = { content, made, tally, end, fresh: false };
    making.current = round;
    const own = await voter.judge(made.proposal);
    const isFirst = await ballots.propose(made);
    if (!this.#isCurrent(making, round)) return;
    making.timer = clock.at(end, "round", () => this.#late(making, round));
    if (!isFirst) return;
    for (const peer of membership.peers(content.params)) {
      transport.request(peer.address, "propose", made.proposal, (response) =>
        this.#hear(making, round, peer.index, response),
      );
    }
    const index = membership.indexIn(content.params);
    if ("response" in own && index !== undefined) await this.#hear(making, round, index, own.response);
  }

  async #content(making: Making): Promise<Content | undefined> {
    const { agenda, inbox, membership } = this.#modules;
    // A transaction may have been overtaken since the last round.
    if (making.round > 0) await inbox.review();
    const item = await agenda.review(making.chain);
    if (item === undefined) return undefined;
    return item.kind === KIND.readings ? this.#readings(making, item) : issuedContent(item, membership);
  }

  async #readings(making: Making, { region, period }: ReadingsItem): Promise<Content | undefined> {
    making.open = await this.#modules.periods.open(region, period);
    if (making.open === undefined) return undefined;
    return readingsContent(making.open, this.#conduct.select(atMostTwo(making.open.pool.held().values())));
  }

  #isCurrent(making: Making, round: Round): boolean {
    return this.#making.get(making.chain) === making && making.current === round;
  }

  async #hear(making: Making, round: Round, da: number, response: Uint8Array): Promise<void> {
    if (!this.#isCurrent(making, round)) return;
    const named = round.tally.hear(da, response);
    if (named.length > 0 && (await this.#merge(making, named)) > 0) round.fresh = true;
    if (!this.#isCurrent(making, round)) return;
    const { certificate, isOver } = round.tally;
    if (certificate !== undefined) {
      making.timer?.cancel();
      making.current = undefined;
      await this.#submit(making, round.made, certificate);
    } else if (isOver) await this.#over(making, round);
  }

  /** Verifies and stores the readings that an *incomplete* names; says how many were new. */
  async #merge({ open }: Making, leaves: readonly Uint8Array[]): Promise<number> {
    const { periods, bodies } = this.#modules;
    if (open === undefined) return 0;
    return bodies.store(open, await periods.verified(open, leaves));
  }

  /**
   * All W have answered, without Q votes. With more readings the next round begins at once; with nothing new it would
   * end as this one did, so it waits for as long as the answers ask, or until the round is over.
   */
  async #over(making: Making, round: Round): Promise<void> {
    if (round.fresh) return this.#next(making, round);
    const { waitMs } = round.tally;
    if (waitMs === undefined) return undefined;
    const { clock } = this.#modules;
    const at = Math.min(clock.now() + Math.max(waitMs, RETRY_MS), round.end);
    making.timer?.cancel();
    making.timer = clock.at(at, "round", () => this.#next(making, round));
    return undefined;
  }

  /** The round's time is over, and too few have answered. */
  async #late(making: Making, round: Round): Promise<void> {
    making.late += 1;
    await this.#next(making, round);
  }

  async #next(making: Making, round: Round): Promise<void> {
    if (!this.#isCurrent(making, round)) return;
    making.round += 1;
    await this.#propose(making);
  }

  /** "With Q votes (`Vote`) any DA may submit the block": the leader has them first. */
  async #submit(making: Making, made: Draft, cert: Uint8Array): Promise<void> {
    const { block } = made;
    const args = [hexOf(sha256(block, cert))];
    const { chain, number, round } = making;
    const facts = { chain, number: number.toString(), round };
    try {
      await this.#modules.ledger.submit({ name: "submitBlock", args, transient: { block, cert } });
      this.#modules.log("info", "block-submitted", facts);
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      this.#modules.log("warn", "block-not-taken", {
        ...facts,
        code: error.code,
        contract: error.facts.contract ?? "",
      });
      if (this.#making.get(chain) !== making) return;
      // The ledger may have moved on (then the event closes this), or may take the same block later.
      const { clock } = this.#modules;
      making.timer = clock.at(clock.now() + RETRY_MS, "submit again", () =>
        this.#resubmit(making, made, cert, error.retry),
      );
    }
  }

  /** After a failed submission: the same block again where the chain still waits for it, else a fresh start. */
  async #resubmit(making: Making, made: Draft, cert: Uint8Array, retry: boolean): Promise<void> {
    if (this.#making.get(making.chain) !== making) return;
    const head = await this.#modules.view.head(making.chain);
    const { term } = await this.#modules.view.term();
    if (retry && head.number + 1n === making.number && term === making.term) return this.#submit(making, made, cert);
    this.close(making.chain);
    await this.#modules.agenda.review(making.chain);
    return this.drive(making.chain);
  }
}

type ReadingsItem = Extract<Item, { readonly kind: typeof KIND.readings }>;

function placeOf({ number, prev, term, round }: Making): Omit<Place, "ts"> {
  return { number, prev, term, round };
}

/** "TS = max(the leader's clock, previous TS + 1 ms)" */
function later(now: number, previous: bigint): bigint {
  return BigInt(now) > previous ? BigInt(now) : previous + 1n;
}

/** What Proposer works with. */
export interface ProposerModules {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly ledger: LedgerClient;
  readonly view: LedgerView;
  readonly log: Log;
  readonly membership: Membership;
  readonly agenda: Agenda;
  readonly inbox: Inbox;
  readonly periods: Periods;
  readonly bodies: Bodies;
  readonly voter: Voter;
  readonly ballots: Ballots;
}
