import {
  BloomFilter,
  KIND,
  LedgerView,
  VerifiedSignatures,
  VeilgridError,
  answerCodec,
  answerName,
  applyBlock,
  applyElection,
  applySetup,
  compareBytes,
  composeParamsLeaf,
  decodeParamsLeaf,
  encodeLeaf,
  encodeSigned,
  epochCodec,
  isVeilgridError,
  memoReader,
  merkleRoot,
  nextParams,
  paramsCodec,
  periodRange,
  pridOf,
  provePossession,
  readingCodec,
  readingSecret,
  setCommitment,
  sha256,
  signBody,
  signStruct,
  toHex,
  utf8,
  window,
  type Codec,
  type Params,
  type ParamsChange,
  type Period,
  type SigKind,
  type StateReader,
  type Transition,
} from "@veilgrid/protocol";
import { Aggregator, type AggregatorOptions } from "../../src/da/aggregator.js";
import type { Call, Committed, LedgerClient, LedgerEvent } from "../../src/ports/ledger.js";
import type { Level, Log } from "../../src/ports/log.js";
import type { Store } from "../../src/ports/store.js";
import type { Method } from "../../src/ports/transport.js";
import type { Verifier } from "../../src/ports/verifier.js";
import { SeededRandom } from "../../src/random.js";
import { SimNetwork } from "../../src/sim/network.js";
import { Scheduler } from "../../src/sim/scheduler.js";
import { MemoryStore } from "../../src/store/memory.js";
import { decodeResponse, encodeKeepLists, encodeTransaction } from "../../src/transport/envelopes.js";
import { SECRETS, paramsOf, secretOf } from "../support/committee.js";

/** 2013-04-08 00:00 UTC: the period that the tests' first epoch begins with. */
export const FIRST: Period = { month: 12 * 2013 + 3, k: 7 * 48 };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Six hours before it. */
export const START = Date.UTC(2013, 3, 8) - 6 * HOUR_MS;

/** The ledger as a map under its real rules, with the events that it published. */
class MapLedger implements StateReader, LedgerClient {
  readonly state = new Map<string, Uint8Array>();
  readonly view = new LedgerView(this);
  readonly calls: Call[] = [];
  /** What submissions fail with, if anything. */
  failure: VeilgridError | undefined;
  readonly #onEvent: (event: LedgerEvent) => void;
  #height = 0n;

  constructor(onEvent: (event: LedgerEvent) => void) {
    this.#onEvent = onEvent;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.state.get(key));
  }

  evaluate(): Promise<Uint8Array> {
    return Promise.reject(new Error("roles read through their view"));
  }

  async submit(call: Call): Promise<Committed> {
    this.calls.push(call);
    if (this.failure !== undefined) throw this.failure;
    const { block, cert } = (call.transient ?? {}) as { block: Uint8Array; cert: Uint8Array };
    const bytes = call.name === "submitBlock" ? [block, cert] : [cert];
    if (toHex(sha256(...bytes)) !== call.args[0]) throw new Error("another digest");
    const view = new LedgerView(memoReader(this));
    try {
      this.apply(call.name === "submitBlock" ? await applyBlock(view, block, cert) : await applyElection(view, cert));
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      throw new VeilgridError("endorse-refused", error.message, { facts: { contract: error.code }, blame: "caller" });
    }
    return { txId: "", blockNumber: this.#height, result: new Uint8Array() };
  }

  apply({ writes, event }: Transition): void {
    for (const { key, value } of writes) {
      if (value === undefined) this.state.delete(key);
      else this.state.set(key, value);
    }
    this.#height += 1n;
    this.#onEvent({ blockNumber: this.#height, txId: `tx${this.#height.toString()}`, ...event });
  }
}

/** One aggregator with what outlives it. */
interface Seat {
  readonly store: Store;
  aggregator: Aggregator | undefined;
}

/** What became of a request. */
export interface Asked {
  response?: Uint8Array;
}

export interface GridOptions {
  readonly params?: Params;
  readonly latencyMs?: number;
  readonly seed?: number;
  readonly memory?: VerifiedSignatures;
  readonly verifier?: Verifier;
  readonly storeOf?: (index: number) => Store;
  /** Options of single aggregators. */
  readonly aggregators?: Readonly<Record<number, Partial<AggregatorOptions>>>;
}

/** The aggregators of a consortium on virtual time, a ledger, and the keys of everybody around them. */
export class Grid {
  readonly params: Params;
  readonly clock = new Scheduler(START);
  readonly network: SimNetwork;
  readonly ledger: MapLedger;
  readonly seats: Seat[];
  readonly logged: { readonly da: number; readonly level: Level; readonly event: string; readonly facts: object }[] =
    [];
  readonly #options: GridOptions;
  readonly #random: SeededRandom;
  readonly #memory: VerifiedSignatures;
  #consortium: Uint8Array = new Uint8Array();

  constructor(options: GridOptions = {}) {
    this.#options = options;
    this.params = options.params ?? paramsOf();
    this.#random = SeededRandom.of(options.seed ?? 1);
    this.#memory = options.memory ?? new VerifiedSignatures(100_000);
    const latency = { minMs: 5, maxMs: options.latencyMs ?? 50 };
    this.network = new SimNetwork({ latency }, { clock: this.clock, random: this.#random });
    this.ledger = new MapLedger((event) => {
      this.#deliver(event);
    });
    const { storeOf = () => new MemoryStore() } = options;
    this.seats = this.params.da.map((_, index) => ({ store: storeOf(index), aggregator: undefined }));
  }

  get view(): LedgerView {
    return this.ledger.view;
  }

  get consortium(): Uint8Array {
    return this.#consortium;
  }

  /** Sets the ledger up and starts all aggregators, but those named. */
  async start(down: readonly number[] = []): Promise<this> {
    this.ledger.apply(await applySetup(this.view, paramsCodec.encode(this.params)));
    this.#consortium = await this.view.consortium();
    for (const index of this.seats.keys()) {
      if (down.includes(index)) this.network.setUp(`da/Da${index}`, false);
      else await this.boot(index);
    }
    return this;
  }

  /** Gives an aggregator that no version names yet its place: the next index. */
  seat(): number {
    const index = this.seats.length;
    this.seats.push({ store: this.#options.storeOf?.(index) ?? new MemoryStore(), aggregator: undefined });
    return index;
  }

  /** Starts (or starts again) an aggregator on its store. */
  async boot(index: number, options: Partial<AggregatorOptions> = {}): Promise<Aggregator> {
    const seat = this.seats[index] as Seat;
    const log: Log = (level, event, facts = {}) => this.logged.push({ da: index, level, event, facts });
    const address = `da/Da${index}`;
    this.network.setUp(address, true);
    const aggregator = new Aggregator(
      { secret: secretOf(`da${index}`), ...this.#options.aggregators?.[index], ...options },
      {
        clock: this.clock,
        transport: this.network.transport(address),
        store: seat.store,
        ledger: this.ledger,
        view: this.view,
        random: this.#random,
        memory: this.#memory,
        ...(this.#options.verifier === undefined ? {} : { verifier: this.#options.verifier }),
        log,
      },
    );
    seat.aggregator = aggregator;
    this.network.listen(address, aggregator.handle);
    await aggregator.start();
    return aggregator;
  }

  /** The process is gone; what its store holds stays. */
  kill(index: number): void {
    const seat = this.seats[index] as Seat;
    seat.aggregator?.stop();
    seat.aggregator = undefined;
    this.network.setUp(`da/Da${index}`, false);
  }

  aggregator(index: number): Aggregator {
    return (this.seats[index] as Seat).aggregator as Aggregator;
  }

  store(index: number): Store {
    return (this.seats[index] as Seat).store;
  }

  /** How many entries an aggregator has on disk. */
  async stored(index: number): Promise<number> {
    return (await this.store(index).range("")).length;
  }

  #deliver(event: LedgerEvent): void {
    for (const seat of this.seats) {
      const { aggregator } = seat;
      if (aggregator === undefined) continue;
      this.clock.at(this.clock.now() + 1, `event ${event.name}`, () => aggregator.onLedgerEvent(event));
    }
  }

  /** Runs to a time, or by some seconds. */
  async run(until: number): Promise<void> {
    await this.clock.run(until);
  }

  async seconds(count: number): Promise<void> {
    await this.clock.run(this.clock.now() + count * 1000);
  }

  /** Asks an aggregator something; the answer is there after some virtual time. */
  ask(index: number, method: Method, request: Uint8Array, from = "meter"): Asked {
    const asked: Asked = {};
    this.network.transport(from).request(`da/Da${index}`, method, request, (response) => {
      asked.response = response;
    });
    return asked;
  }

  /** Sends one request to all aggregators. */
  all(method: Method, request: Uint8Array): Asked[] {
    return this.seats.map((_, index) => this.ask(index, method, request, "kgcbp"));
  }

  /** The one-time secret of a meter's half. */
  secret(region: number, { month, k }: Period, meter: number, half: number): Uint8Array {
    return readingSecret(utf8(`${region}/${month}/${k}/${meter}/${half}`));
  }

  prids(region: number, period: Period, meters: number): Uint8Array[] {
    const all = Array.from({ length: 2 * meters }, (_, i) =>
      pridOf(utf8(`${region}/${period.month}/${period.k}/${i >> 1}/${i & 1}`)),
    );
    return all.sort(compareBytes);
  }

  /** A signed reading of a meter's half; `rc` is what it says. */
  reading(region: number, period: Period, meter: number, half: number, rc = 1n): Uint8Array {
    const secret = this.secret(region, period, meter, half);
    const prid = pridOf(utf8(`${region}/${period.month}/${period.k}/${meter}/${half}`));
    const body = readingCodec.encode({ region, period, prid, rc });
    return encodeLeaf(body, signBody("reading", this.#consortium, body, secret));
  }

  /** KGCBP's epoch of a region, signed, with the PRID lists of its periods. */
  epoch(region: number, first: Period, periods: number, meters: number, params = this.params): EpochMessages {
    const all = [...periodRange(first, periods, params.periodSeconds)];
    const lists = all.map((period) => this.prids(region, period, meters));
    const shape = { bitsPerElement: params.bitsPerElement, indices: params.indices };
    const entries = all.map((period, i) => {
      const prids = lists[i] as Uint8Array[];
      const { bits } = BloomFilter.of("veilgrid/1/bf1", prids, 2 * meters, shape);
      return { bf1: bits, set: setCommitment(region, period, prids) };
    });
    const head = { region, first, periods, params: params.version, meters, leaves: 0, seedRoot: merkleRoot([]) };
    const leaf = this.issued("epoch", epochCodec(params), { ...head, entries });
    return {
      leaf,
      transaction: encodeTransaction({ kind: KIND.epoch, leaf }),
      lists: encodeKeepLists({ region, first, lists }),
    };
  }

  /** A signature of this consortium. */
  sign(kind: SigKind, body: Uint8Array, secret: Uint8Array): Uint8Array {
    return signBody(kind, this.#consortium, body, secret);
  }

  /** A body signed by KGCBP, or by CC. */
  issued<T>(kind: SigKind, codec: Codec<T>, body: T, secret = SECRETS.kgcbp): Uint8Array {
    return encodeSigned(signStruct(kind, this.#consortium, codec, body, secret));
  }

  /** Commits an epoch of a region, from FIRST on. */
  async commitEpoch(region = 1, periods = 4, meters = 5, first = FIRST, params = this.params): Promise<EpochMessages> {
    const messages = this.epoch(region, first, periods, meters, params);
    this.all("transaction", messages.transaction);
    await this.seconds(1);
    this.all("lists", messages.lists);
    await this.until(async () => (await this.view.epochAt(region, first)) !== undefined, 120);
    return messages;
  }

  /** Runs until something holds, looking each second. @throws Error after so many seconds. */
  async until(holds: () => Promise<boolean>, seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      if (await holds()) return;
      await this.seconds(1);
    }
    if (!(await holds())) throw new Error(`not within ${seconds} s of virtual time`);
  }

  /** When a period's readings are taken. */
  window(period: Period): { readonly opens: number; readonly closes: number; readonly freezes: number } {
    return window(period, this.params);
  }

  /** All halves of so many meters to their DAs: half h of meter m to DA (m + h) mod W. */
  sendAll(region: number, period: Period, meters: number, to: readonly number[] = [...this.seats.keys()]): Asked[] {
    const halves = Array.from({ length: 2 * meters }, (_, i) => ({ meter: i >> 1, half: i & 1 }));
    return halves.map(({ meter, half }) =>
      this.ask(to[(meter + half) % to.length] as number, "reading", this.reading(region, period, meter, half)),
    );
  }

  /** The leader of the term in force, by seat; -1 where a new version ended its leadership. */
  async leader(): Promise<number> {
    const { leader } = await this.view.term();
    const { da } = await this.view.currentParams();
    const found = da.find(({ key }) => leader !== undefined && compareBytes(key, leader) === 0);
    return found === undefined ? -1 : Number(found.msp.slice(2));
  }

  /** The version that follows, as a leaf with all proofs of possession. `secrets` are those of the new keys. */
  async successor(changes: readonly ParamsChange[], secrets: readonly Uint8Array[] = []): Promise<Uint8Array> {
    const current = await this.view.currentParams();
    const next = nextParams(current, changes);
    const proofs = secrets.map((secret) => provePossession(this.#consortium, next, secret));
    return composeParamsLeaf(this.#consortium, current, next, proofs);
  }

  /** Has so many aggregators' operators approve a version, and waits until it is in force. */
  async adopt(leaf: Uint8Array, seats: readonly number[]): Promise<void> {
    const { version } = decodeParamsLeaf(leaf).params;
    for (const seat of seats) await this.aggregator(seat).approveParams(leaf);
    await this.until(async () => (await this.view.currentParams()).version === version, 300);
  }
}

export interface EpochMessages {
  readonly leaf: Uint8Array;
  readonly transaction: Uint8Array;
  readonly lists: Uint8Array;
}

/** "receipt", "none", or the name of the Answer's code. */
export function outcome({ response }: Asked): string {
  if (response === undefined) return "none";
  const decoded = decodeResponse(response);
  if (decoded.tag !== "answer") return decoded.tag;
  const { code } = answerCodec.decode(decoded.answer);
  return answerName(code) ?? String(code);
}

/** How often each outcome came. */
export function outcomes(all: readonly Asked[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const asked of all) counts[outcome(asked)] = (counts[outcome(asked)] ?? 0) + 1;
  return counts;
}

export { DAY_MS, HOUR_MS };
