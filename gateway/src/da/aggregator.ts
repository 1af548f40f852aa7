import { KIND, comparePeriods, headerCodec, type Header, type Period } from "@veilgrid/protocol";
import type { LedgerEvent } from "../ports/ledger.js";
import type { Handler } from "../ports/transport.js";
import { parseSlot, slotOf, storeKey } from "./names.js";
import { compose, type AggregatorModules, type Parts } from "./parts.js";
import { HONEST, type Conduct } from "./proposer.js";
import { Requests } from "./requests.js";
import { Retirement } from "./retirement.js";

/** What an aggregator is told. Times in milliseconds. */
export interface AggregatorOptions {
  /** BIP-340 secret of this DA, 32 bytes. */
  readonly secret: Uint8Array;
  /**
   * Its secrets in other versions of the parameter set: one that a coming version names, and one that was replaced, which
   * is needed until the last period of its versions has its block.
   */
  readonly otherSecrets?: readonly Uint8Array[];
  /** Called once when no version that still rules anything names this DA any more, and it has stopped. */
  readonly onRetired?: () => void;
  /** How long a bundle of meters' readings is open: "whatever came in a few tens of milliseconds". Default 50. */
  readonly bundleMs?: number;
  /** How long the leader waits for more transactions before it forms a block of chain 0. Default 1,000. */
  readonly gatherMs?: number;
  /** The progress timer's base. Default 20,000. */
  readonly timerMs?: number;
  /** How a leader behaves; honest but in tests. */
  readonly conduct?: Conduct;
}

/** "a fruitless term doubles it (at most 10 minutes)" */
const LONGEST_TIMER_MS = 600_000;

/**
 * A data aggregator: authenticates and acks readings, votes, leads when it is elected. It is driven by requests, ledger
 * events and its clock only; what it has promised is on disk before it is said, so `start` takes up wherever an earlier
 * one was killed.
 */
export class Aggregator {
  readonly #modules: AggregatorModules;
  readonly #parts: Parts;
  readonly #requests: Requests;
  readonly #retirement: Retirement;
  readonly #onRetired: () => void;
  readonly #committed = new Map<number, Period>();
  #isRunning = false;

  constructor(options: AggregatorOptions, modules: AggregatorModules) {
    this.#modules = modules;
    this.#parts = compose(
      {
        secrets: [options.secret, ...(options.otherSecrets ?? [])],
        bundleMs: options.bundleMs ?? 50,
        gatherMs: options.gatherMs ?? 1_000,
        baseMs: options.timerMs ?? 20_000,
        mostMs: LONGEST_TIMER_MS,
        conduct: options.conduct ?? HONEST,
        isDone: (region, period) => this.#isDone(region, period),
        onReview: (chain) => this.#review(chain),
        onLeader: (own) => this.#onLeader(own),
        onStall: () => this.#onStall(),
      },
      modules,
    );
    const onReview = (chain: number): Promise<void> => this.#review(chain);
    this.#retirement = new Retirement({ ...modules, ...this.#parts });
    this.#onRetired = options.onRetired ?? ((): void => undefined);
    this.#requests = new Requests({ onReview }, { ...modules, parts: this.#parts });
  }

  /** This DA's x-only key, 32 bytes. */
  get key(): Uint8Array {
    return this.#parts.membership.key;
  }

  /** What it is in its term: for the operator's view and for tests. */
  get standing(): { readonly role: string; readonly term: bigint; readonly busy: boolean; readonly readings: number } {
    const { election, agenda, pools } = this.#parts;
    return { role: election.role, term: election.term, busy: agenda.isBusy, readings: pools.size };
  }

  /**
   * Re-derives everything that is due from store and ledger. Requests and events are heard from when this has resolved:
   * before, a reading that was acked may not be read back yet.
   * @throws VeilgridError `not-set-up` (retry).
   */
  async start(): Promise<void> {
    const { membership, inbox, pools, election, freeze } = this.#parts;
    await membership.refresh();
    await this.#readHeads();
    await inbox.start();
    await pools.load();
    await this.#dropLeftovers();
    await election.start();
    await freeze.start();
    await this.#searchLists();
    for (const chain of await this.#parts.agenda.chains()) await this.#review(chain);
    this.#isRunning = true;
    await this.#retire();
  }

  /** Cancels all timers; nothing is answered any more. What is on disk stays. */
  stop(): void {
    const { intake, freeze, listExchange, proposer, election } = this.#parts;
    this.#isRunning = false;
    intake.stop();
    freeze.stop();
    listExchange.stop();
    proposer.resign();
    election.stop();
  }

  /** Answers the requests of meters, DAs, KGCBP and CC. */
  readonly handle: Handler = async (method, request, reply, from) => {
    if (!this.#isRunning) return;
    await this.#requests.handle(method, request, reply, from);
  };

  /**
   * The operator's word for the next parameter set, as the leaf of its block: this DA proposes it and votes for it.
   * @throws VeilgridError `malformed`, a RefusalCode.
   */
  async approveParams(leaf: Uint8Array): Promise<void> {
    await this.#review(await this.#parts.inbox.approve(leaf));
  }

  /** Takes the operator's word for a version back; says whether there was one. A vote that was given stands. */
  async withdrawParams(version: number): Promise<boolean> {
    const { inbox } = this.#parts;
    const withdrawn = await inbox.withdraw(version);
    await this.#review(0);
    return withdrawn;
  }

  /** The leaf of the parameter set that the operator approved and that is not committed yet. */
  get approvedParams(): Uint8Array | undefined {
    return this.#parts.inbox.approved;
  }

  /** Something was committed on the ledger. Events come in the ledger's order; one seen before changes nothing. */
  async onLedgerEvent({ name, payload }: LedgerEvent): Promise<void> {
    if (!this.#isRunning) return;
    if (name === "leader") await this.#parts.election.ledgerLeader();
    else if (name === "block") await this.#onBlock(headerCodec.decode(payload));
  }

  async #onBlock(header: Header): Promise<void> {
    const { proposer, membership, election, inbox, freeze, agenda } = this.#parts;
    const { region, kind, period } = header;
    proposer.close(region);
    if (kind === KIND.params) await membership.refresh();
    election.committed();
    if (kind === KIND.params) await election.versionChanged();
    if (kind === KIND.readings) await this.#dropPeriod(region, period);
    else await inbox.review();
    if (kind === KIND.epoch) {
      await this.#searchEpoch(region, period);
      await freeze.arm();
    }
    for (const chain of kind === KIND.params ? await agenda.chains() : [region]) await this.#review(chain);
    await this.#retire();
  }

  /** "a removed DA serves until those blocks are in", and then no more. */
  async #retire(): Promise<void> {
    if (!(await this.#retirement.isDue())) return;
    this.stop();
    this.#modules.log("info", "retired", { version: this.#parts.membership.current.version });
    this.#onRetired();
  }

  /** Looks at what is due on a chain, keeps the progress timer accordingly, and works on it if this DA leads. */
  async #review(chain: number): Promise<void> {
    const { agenda, election, proposer } = this.#parts;
    await agenda.review(chain);
    await election.setBusy(agenda.isBusy);
    await proposer.drive(chain);
  }

  async #onLeader(own: boolean): Promise<void> {
    const { proposer, agenda } = this.#parts;
    proposer.resign();
    if (!own) return;
    for (const chain of await agenda.chains()) await proposer.drive(chain);
  }

  /** Nothing moves: perhaps because something that was due can no longer be. */
  async #onStall(): Promise<void> {
    const { inbox, agenda, election } = this.#parts;
    await inbox.review();
    for (const chain of await agenda.chains()) await agenda.review(chain);
    await election.setBusy(agenda.isBusy);
  }

  #isDone(region: number, period: Period): boolean {
    const last = this.#committed.get(region);
    return last !== undefined && comparePeriods(period, last) <= 0;
  }

  async #readHeads(): Promise<void> {
    for (const region of await this.#modules.view.regions()) {
      const { lastReadings } = await this.#modules.view.head(region);
      if (lastReadings !== undefined) this.#committed.set(region, lastReadings);
    }
  }

  /** Everything of a period is dropped when its block is committed. */
  async #dropPeriod(region: number, period: Period): Promise<void> {
    const { intake, periods, pools, lists, freeze, epochs, listExchange } = this.#parts;
    if (!this.#isDone(region, period)) this.#committed.set(region, period);
    const slot = slotOf(region, period);
    intake.drop(slot);
    periods.close(slot);
    await this.#modules.store.write([...pools.drop(slot), ...lists.drop(slot), ...freeze.committed(region, period)]);
    epochs.drop(region, period);
    listExchange.forget(region, (known) => !this.#isDone(region, known.periods.at(-1) as Period));
  }

  /** What a crash left behind between a commit and its event. */
  async #dropLeftovers(): Promise<void> {
    const { pools, lists } = this.#parts;
    const stored = await this.#modules.store.range(storeKey.lists);
    const slots = new Set([...pools.slots, ...stored.map(({ key }) => key.slice(storeKey.lists.length))]);
    const done = [...slots].filter((slot) => {
      const { region, period } = parseSlot(slot);
      return this.#isDone(region, period);
    });
    await this.#modules.store.write(done.flatMap((slot) => [...pools.drop(slot), ...lists.drop(slot)]));
  }

  async #searchLists(): Promise<void> {
    const { view } = this.#modules;
    for (const region of await view.regions()) {
      let next = await view.nextReadings(region);
      while (next !== undefined) next = await this.#searchEpoch(region, next);
    }
  }

  /** Looks for the lists of the committed epoch at `period`; gives the next period that another epoch covers. */
  async #searchEpoch(region: number, period: Period): Promise<Period | undefined> {
    const { epochs, listExchange } = this.#parts;
    const known = await epochs.at(region, period);
    if (known === undefined) return undefined;
    listExchange.search(known);
    return epochs.nextCovered(region, known.periods.at(-1));
  }
}
