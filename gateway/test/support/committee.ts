import {
  KIND,
  LedgerView,
  NO_PERIOD,
  applyBlock,
  applyElection,
  applySetup,
  blockCodec,
  blockHash,
  checkBlock,
  compareBytes,
  composeParamsLeaf,
  decodeLeaf,
  electionCodec,
  encodeCertificate,
  epochHead,
  headerCodec,
  isComplete,
  isVeilgridError,
  merkleRoot,
  nextParams,
  paramsCodec,
  paramsDefaults,
  provePossession,
  quorum,
  schnorr,
  sha256,
  signBody,
  signStruct,
  toHex,
  utf8,
  voteCodec,
  decodeReadingLeaf,
  type Params,
  type ParamsChange,
  type Period,
  type StateReader,
  type StateWrite,
  type Transition,
} from "@veilgrid/protocol";
import type { LedgerEvent } from "../../src/ports/ledger.js";
import type { Handler } from "../../src/ports/transport.js";
import {
  decodeListsRequest,
  decodeTransaction,
  encodeAccepted,
  type PendingTransaction,
} from "../../src/transport/envelopes.js";

/** A key that follows from its name. */
export function secretOf(name: string): Uint8Array {
  return sha256(utf8(`test key of ${name}`));
}

export const SECRETS = {
  da: [0, 1, 2, 3].map((i) => secretOf(`da${i}`)),
  cc: secretOf("cc"),
  kgcbp: secretOf("kgcbp"),
};

/** Four aggregators; `change` replaces defaults. */
export function paramsOf(change: Partial<Params> = {}): Params {
  const member = (msp: string, secret: Uint8Array): { msp: string; key: Uint8Array } => ({
    msp,
    key: schnorr.publicKey(secret),
  });
  return {
    ...paramsDefaults,
    version: 1,
    channel: "test",
    da: SECRETS.da.map((secret, i) => member(`Da${i}`, secret)),
    cc: member("Cc", SECRETS.cc),
    kgcbp: member("Kgcbp", SECRETS.kgcbp),
    minReleaseMeters: 5,
    ...change,
  };
}

/** What a committee commits. */
interface Draft {
  readonly region: number;
  readonly kind: number;
  readonly leaves: readonly Uint8Array[];
  readonly params: number;
  readonly period?: Period;
  readonly aggFault?: boolean;
}

/**
 * Four honest aggregators in one hand, on a ledger that is a map: they keep KGCBP's and CC's transactions, vote, and
 * commit under the ledger's real rules. What KGCBP, CC and customers read is what a real ledger would hold.
 */
export class Committee implements StateReader {
  readonly params: Params;
  readonly state = new Map<string, Uint8Array>();
  readonly view = new LedgerView(this);
  /** Transactions that wait for their block, as they came. */
  readonly pending = new Map<string, PendingTransaction>();
  /** PRID lists by "region/month/k", of each aggregator. */
  readonly lists = SECRETS.da.map(() => new Map<string, readonly Uint8Array[]>());
  /** Aggregators that are down: they answer nothing. */
  readonly down = new Set<number>();
  /** All events so far. */
  readonly events: LedgerEvent[] = [];
  #consortium = new Uint8Array();

  constructor(params: Params = paramsOf()) {
    this.params = params;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.state.get(key));
  }

  #apply({ writes, event }: { writes: readonly StateWrite[]; event: Transition["event"] }): LedgerEvent {
    for (const { key, value } of writes) {
      if (value === undefined) this.state.delete(key);
      else this.state.set(key, value);
    }
    const published = { blockNumber: BigInt(this.events.length), txId: `tx${this.events.length}`, ...event };
    this.events.push(published);
    return published;
  }

  /** Stores the parameters and elects da/0. */
  async setUp(): Promise<void> {
    this.#apply(await applySetup(this.view, paramsCodec.encode(this.params)));
    this.#consortium = (await this.view.consortium()) as Uint8Array<ArrayBuffer>;
    await this.elect(1n, 0);
  }

  async elect(term: bigint, candidate: number): Promise<void> {
    const ballots = this.#quorum().map((voter) =>
      signStruct(
        "election",
        this.#consortium,
        electionCodec,
        { params: 1, term, candidate, voter },
        SECRETS.da[voter] as Uint8Array,
      ),
    );
    this.#apply(await applyElection(this.view, encodeCertificate(ballots)));
  }

  #quorum(): number[] {
    return Array.from({ length: quorum(this.params.da.length) }, (_, i) => i);
  }

  /** What an aggregator does with what KGCBP and CC send. */
  handler(index: number): Handler {
    return (method, request, reply) => {
      if (this.down.has(index)) return Promise.resolve();
      if (method === "transaction") {
        const transaction = decodeTransaction(request);
        this.pending.set(toHex(transaction.leaf), transaction);
      } else if (method === "lists") {
        const wish = decodeListsRequest(request);
        if (wish.what === "keep") this.#keep(index, wish.lists);
      }
      reply(encodeAccepted());
      return Promise.resolve();
    };
  }

  #keep(index: number, lists: { region: number; first: Period; lists: readonly (readonly Uint8Array[])[] }): void {
    for (const [i, list] of lists.lists.entries()) {
      this.lists[index]?.set(`${lists.region}/${lists.first.month}/${lists.first.k + i}`, list);
    }
  }

  async #draft(
    { region, kind, leaves, params, period = NO_PERIOD, aggFault = false }: Draft,
    now: number,
  ): Promise<Uint8Array> {
    const head = await this.view.head(region);
    const { term } = await this.view.term();
    const header = {
      consortium: this.#consortium,
      region,
      kind,
      number: head.number + 1n,
      prev: head.cbh,
      root: merkleRoot(leaves),
      count: leaves.length,
      params,
      term,
      round: 0,
      period,
      aggFault,
      leader: (await this.view.term()).leader as Uint8Array,
      ts: BigInt(now) > head.ts ? BigInt(now) : head.ts + 1n,
    };
    const cbh = blockHash(headerCodec.encode(header));
    const leader = SECRETS.da[this.params.da.findIndex(({ key }) => toHex(key) === toHex(header.leader))];
    return blockCodec.encode({
      header,
      scbh: signBody("header", this.#consortium, cbh, leader as Uint8Array),
      leaves,
    });
  }

  /** Commits a block under the ledger's rules. @throws VeilgridError the rules' refusal. */
  async #commit(draft: Draft, now: number): Promise<LedgerEvent> {
    const bytes = await this.#draft(draft, now);
    const { header } = blockCodec.decode(bytes);
    const cbh = blockHash(headerCodec.encode(header));
    const { params, region, number, term, round } = header;
    const votes = this.#quorum().map((da) =>
      signStruct(
        "vote",
        this.#consortium,
        voteCodec,
        { params, region, number, term, round, cbh, da },
        SECRETS.da[da] as Uint8Array,
      ),
    );
    return this.#apply(await applyBlock(this.view, bytes, encodeCertificate(votes)));
  }

  /** Commits the block of a period with these readings (104-byte leaves). */
  async commitReadings(
    region: number,
    period: Period,
    leaves: readonly Uint8Array[],
    now: number,
  ): Promise<LedgerEvent> {
    const sorted = [...leaves].sort(compareBytes);
    const covering = await this.view.epochAt(region, period);
    if (covering === undefined) throw new Error("no epoch");
    const params = await this.view.params(covering.epoch.params);
    const complete = isComplete(params, region, period, covering.epoch, sorted.map(decodeReadingLeaf));
    const draft = { region, kind: KIND.readings, leaves: sorted, params: params.version, period, aggFault: !complete };
    return this.#commit(draft, now);
  }

  /** Commits whatever is pending and valid now, as a leader would: epochs one by one, the others by kind. */
  async commitPending(now: number): Promise<LedgerEvent[]> {
    const events: LedgerEvent[] = [];
    const mine = [...this.pending.entries()].filter(([, { kind }]) => kind === KIND.epoch);
    for (const [name, { leaf }] of mine) {
      const { region, first, params } = epochHead(decodeLeaf(leaf).body);
      const draft = { region, kind: KIND.epoch, leaves: [leaf], params, period: first };
      if (!(await this.#isValid(draft, now))) continue;
      events.push(await this.#commit(draft, now));
      this.pending.delete(name);
    }
    for (const kind of [KIND.masks, KIND.prices, KIND.verdicts, KIND.bills, KIND.close])
      events.push(...(await this.#commitKind(kind, now)));
    return events;
  }

  async #commitKind(kind: number, now: number): Promise<LedgerEvent[]> {
    const { version } = await this.view.currentParams();
    const valid: [string, Uint8Array][] = [];
    for (const [name, { leaf, kind: of }] of this.pending) {
      if (of !== kind) continue;
      const draft = { region: 0, kind, leaves: [leaf], params: version };
      if (await this.#isValid(draft, now)) valid.push([name, leaf]);
    }
    if (valid.length === 0) return [];
    const leaves = valid.map(([, leaf]) => leaf).sort((a, b) => compareBytes(order(kind, a), order(kind, b)));
    for (const [name] of valid) this.pending.delete(name);
    return [await this.#commit({ region: 0, kind, leaves, params: version }, now)];
  }

  /** Commits the next version of the parameters; the aggregators stay. @param secrets those of its new keys. */
  async adopt(changes: readonly ParamsChange[], secrets: readonly Uint8Array[], now: number): Promise<LedgerEvent> {
    const current = await this.view.currentParams();
    const next = nextParams(current, changes);
    const proofs = secrets.map((secret) => provePossession(this.#consortium, next, secret));
    const leaf = composeParamsLeaf(this.#consortium, current, next, proofs);
    return this.#commit({ region: 0, kind: KIND.params, leaves: [leaf], params: current.version }, now);
  }

  async #isValid(draft: Draft, now: number): Promise<boolean> {
    try {
      await checkBlock(this.view, await this.#draft(draft, now));
      return true;
    } catch (error) {
      if (isVeilgridError(error)) return false;
      throw error;
    }
  }
}

/** What leaves of a kind are ordered by. */
function order(kind: number, leaf: Uint8Array): Uint8Array {
  return kind === KIND.bills ? leaf.subarray(7, 23) : leaf.subarray(0, 8);
}
