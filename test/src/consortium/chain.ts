import {
  BASIS,
  consortiumId,
  monthOf,
  paramsCodec,
  periodStart,
  window,
  type LedgerView,
  type Mask,
  type Member,
  type Params,
  type Period,
  type Price,
} from "@veilgrid/protocol";
import { electionCertificate, sealBlock, type Draft, type Forgery, type SealedBlock } from "./blocks.js";
import { epochDraft, epochOf } from "./epochs.js";
import type { Issuing, Timeless } from "./issued.js";
import { MapLedger, type TestLedger } from "./map-ledger.js";
import { Meter, type Place } from "./meters.js";
import { paramsOf } from "./members.js";
import { readingsDraft, releaseOf, reported, type Report } from "./reports.js";

/** The month that the tests' periods are in: 2013-04. */
export const MONTH = monthOf("2013-04");

/** A minute, in milliseconds. */
export const MINUTE = 60_000n;

/** What was committed of a period. */
interface Settled {
  readonly cbh: Uint8Array;
  readonly reports: readonly Report[];
}

interface History {
  readonly versions: readonly Params[];
  readonly meters: readonly Meter[];
  readonly settled: ReadonlyMap<string, Settled>;
  readonly now: bigint;
}

/** Regions are 1 and 2, periods are named by their k in MONTH: a short hand for the tests of this folder. */
export interface At {
  readonly region?: number;
  readonly k?: number;
}

/**
 * A consortium whose blocks are all valid unless a test breaks one: it makes drafts of every kind, seals and certifies
 * them for the ledger's present head, and keeps what it has to know for the next ones.
 */
export class Chain<L extends TestLedger = MapLedger> {
  readonly ledger: L;
  readonly meters: readonly Meter[];
  readonly consortium: Uint8Array;
  readonly #versions: Params[];
  readonly #settled: Map<string, Settled>;
  /** Time of the latest block of any chain, Unix milliseconds. */
  now: bigint;

  private constructor(ledger: L, { versions, meters, settled, now }: History) {
    this.ledger = ledger;
    this.meters = meters;
    this.consortium = consortiumId(paramsCodec.encode(versions[0] as Params));
    this.#versions = [...versions];
    this.#settled = new Map(settled);
    this.now = now;
  }

  /** A consortium before anything is on its ledger, an hour before MONTH. */
  static of<M extends TestLedger>(ledger: M, params: Params, meterCount = 6): Chain<M> {
    const meters = Array.from({ length: meterCount }, (_, i) => new Meter(`meter ${i}`));
    const now = BigInt(periodStart({ month: MONTH, k: 0 }, params.periodSeconds)) - 60n * MINUTE;
    return new Chain(ledger, { versions: [params], meters, settled: new Map(), now });
  }

  /** The same consortium on a ledger that stands where this one's does. */
  on<M extends TestLedger>(ledger: M): Chain<M> {
    const { meters, now } = this;
    return new Chain(ledger, { meters, now, versions: this.#versions, settled: this.#settled });
  }

  get view(): LedgerView {
    return this.ledger.view;
  }

  /** The version in force. */
  get params(): Params {
    return this.#versions.at(-1) as Params;
  }

  version(number: number): Params {
    return this.#versions[number - 1] as Params;
  }

  /** Who issues under the version in force. */
  get issuing(): Issuing {
    return { consortium: this.consortium, params: this.params };
  }

  place({ region = 1, k = 0 }: At = {}): Place {
    return { consortium: this.consortium, region, period: { month: MONTH, k } };
  }

  async setUp(): Promise<void> {
    await this.ledger.setUp(paramsCodec.encode(this.version(1)));
    await this.elect(1n, 0);
  }

  async elect(term: bigint, candidate: number): Promise<void> {
    await this.ledger.submitElection(electionCertificate(this.consortium, this.params, { term, candidate }));
  }

  /** A draft for now, or for a later time. */
  at(draft: Timeless, ts: bigint = this.now + 1n): Draft {
    return { ...draft, ts };
  }

  /** The epoch of three periods from `k` on. */
  epoch({
    region = 1,
    k = 0,
    periods = 3,
    params = this.params,
  }: At & { periods?: number; params?: Params } = {}): Draft {
    const issuing = { ...this.issuing, params };
    return this.at(epochDraft(issuing, epochOf(issuing, this.meters, { region, first: { month: MONTH, k }, periods })));
  }

  /** Every meter i reports both halves of 100 * (i + 1) Wh. */
  reports(change: (reports: Report[]) => readonly Report[] = (reports) => reports): readonly Report[] {
    return change(this.meters.map((meter, i) => reported(meter, 100n * BigInt(i + 1))));
  }

  /** The readings block of a period, just after its window. */
  readings(at: At = {}, reports = this.reports(), params = this.params): Draft {
    const place = this.place(at);
    const closed = BigInt(window(place.period, params).closes);
    const draft = readingsDraft(params, place, this.meters, reports);
    return this.at(draft, closed > this.now ? closed : this.now + 1n);
  }

  /** Seals and certifies a draft for the ledger's present head. */
  async seal(draft: Draft, forgery: Forgery = {}): Promise<SealedBlock> {
    const head = await this.view.head(draft.region);
    const { term, leader } = await this.view.term();
    const place = { consortium: this.consortium, number: head.number + 1n, prev: head.cbh, term };
    return sealBlock({ ...place, leader: leader as Uint8Array }, draft, this.version(draft.params), forgery);
  }

  async submit({ header, block, cert }: SealedBlock): Promise<void> {
    await this.ledger.submitBlock(block, cert);
    if (header.ts > this.now) this.now = header.ts;
  }

  async commit(draft: Draft, forgery: Forgery = {}): Promise<SealedBlock> {
    const sealed = await this.seal(draft, forgery);
    await this.submit(sealed);
    return sealed;
  }

  /** Commits the readings block of a period, and keeps what its release takes. */
  async settle(at: At = {}, reports = this.reports(), params = this.params): Promise<void> {
    const { cbh } = await this.commit(this.readings(at, reports, params));
    this.#settled.set(slot(at), { cbh, reports });
  }

  /** CBH of a period's committed readings block. */
  cbh(at: At = {}): Uint8Array {
    return (this.#settled.get(slot(at)) as Settled).cbh;
  }

  release(at: At = {}, params = this.params): Mask {
    const { cbh, reports } = this.#settled.get(slot(at)) as Settled;
    return releaseOf(params, this.place(at), cbh, reports);
  }

  /** A measured price for all that was reported, unless told otherwise. */
  price(at: At = {}, change: Partial<Price> = {}): Price {
    const { cbh, reports } = this.#settled.get(slot(at)) as Settled;
    const { region, period } = this.place(at);
    const consumption = reports.reduce((sum, one) => sum + one.consumption, 0n);
    return { region, period, price: 250_000n, basis: BASIS.measured, consumption, cbh, ...change };
  }

  /** After a params block: what is in force now. */
  adopt(params: Params): void {
    this.#versions.push(params);
  }
}

function slot({ region = 1, k = 0 }: At): string {
  return `${region}/${k}`;
}

/** The key of an aggregator. */
export function daKey({ da }: Params, index: number): Uint8Array {
  return (da[index] as Member).key;
}

/** A period of MONTH. */
export function periodAt(k: number): Period {
  return { month: MONTH, k };
}

/** A consortium that is set up and led by aggregator 0. */
export async function startedChain(change: Partial<Params> = {}, meters = 6): Promise<Chain> {
  const chain = Chain.of(new MapLedger(), paramsOf(change), meters);
  await chain.setUp();
  return chain;
}
