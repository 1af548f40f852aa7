import {
  KIND,
  VeilgridError,
  billsCodec,
  closeCodec,
  decodeLeaf,
  epochCodec,
  epochHead,
  equalBytes,
  isVeilgridError,
  maskCodec,
  priceCodec,
  verdictCodec,
  checkPending,
  decodeParamsLeaf,
  type BillEntry,
  type LedgerView,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { Exclusive } from "../exclusive.js";
import type { Clock } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Change, Store } from "../ports/store.js";
import { decodeTransaction, encodeTransaction, type PendingTransaction } from "../transport/envelopes.js";
import { knownEpoch, type KnownEpoch } from "./epochs.js";
import type { Membership } from "./membership.js";
import { hexOf, slotOf, storeKey } from "./names.js";

/** "planned for <= 1 MiB": what the leaves of one block take at most, unless one alone takes more. */
const BLOCK_BYTES = 1_048_576;
/**
 * "other kinds are split by count": each leaf makes an endorser of Fabric ask its peer some ten times, and its gateway waits
 * seconds. 1,484 prices at once, of a month between two supplies, took 7 to 11 s on a busy machine.
 */
const MOST_LEAVES = 256;
/** Nobody but an issuer that has lost its way sends so many. */
const MOST_PENDING = 10_000;

interface Pending extends PendingTransaction {
  /** What it is about, so that two for the same meet; the order of slots is the order of leaves in a block. */
  readonly slot: string;
  /** Decoded once, because an epoch is big. */
  readonly epoch?: KnownEpoch;
}

/** An epoch before its block. */
export interface PendingEpoch extends KnownEpoch {
  readonly leaf: Uint8Array;
}

/** What a block of chain 0 can carry. */
export interface ReadyLeaves {
  readonly kind: number;
  /** As many as it takes, in its order. */
  readonly leaves: () => readonly Uint8Array[];
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** "masks and prices by (Region, Period); verdicts by (Region, Period, ref); close by (Region, month); bills by first BID" */
const SLOT: Readonly<Record<number, (body: Uint8Array) => string>> = {
  [KIND.epoch](body) {
    const { region, first } = epochHead(body);
    return slotOf(region, first);
  },
  [KIND.masks](body) {
    const { region, period } = maskCodec.decode(body);
    return slotOf(region, period);
  },
  [KIND.prices](body) {
    const { region, period } = priceCodec.decode(body);
    return slotOf(region, period);
  },
  [KIND.bills](body) {
    const { month, entries } = billsCodec.decode(body);
    return hexOf((entries[0] as BillEntry).bid) + hex(month, 8);
  },
  [KIND.verdicts](body) {
    const { region, period, ref } = verdictCodec.decode(body);
    return slotOf(region, period) + hexOf(ref);
  },
  [KIND.close](body) {
    const { region, month } = closeCodec.decode(body);
    return hex(region, 4) + hex(month, 8);
  },
};

function slotOfLeaf({ kind, leaf }: PendingTransaction): string {
  if (kind === KIND.params) return hex(decodeParamsLeaf(leaf).params.version, 4);
  const slot = SLOT[kind];
  if (slot === undefined)
    throw new VeilgridError("malformed", "no such transaction", { facts: { kind }, blame: "peer" });
  return slot(decodeLeaf(leaf).body);
}

/** The part of a slot that must ascend strictly within a block: bills of one first BID go into blocks of their own. */
function orderOf({ kind, slot }: Pending): string {
  return kind === KIND.bills ? slot.slice(0, 32) : slot;
}

/** By the key in the store, and the keys by kind: there may be thousands of one, and it is asked often what there is. */
class PendingByKind {
  readonly #byKey = new Map<string, Pending>();
  readonly #byKind = new Map<number, Map<string, Pending>>();

  get size(): number {
    return this.#byKey.size;
  }

  all(): [string, Pending][] {
    return [...this.#byKey];
  }

  get(key: string): Pending | undefined {
    return this.#byKey.get(key);
  }

  /** In no order. */
  ofKind(kind: number): ReadonlyMap<string, Pending> {
    return this.#byKind.get(kind) ?? new Map<string, Pending>();
  }

  set(key: string, pending: Pending): void {
    this.#byKey.set(key, pending);
    const same = this.#byKind.get(pending.kind) ?? new Map<string, Pending>();
    this.#byKind.set(pending.kind, same.set(key, pending));
  }

  delete(key: string): boolean {
    const kind = this.#byKey.get(key)?.kind;
    if (kind !== undefined) this.#byKind.get(kind)?.delete(key);
    return this.#byKey.delete(key);
  }

  clear(): void {
    this.#byKey.clear();
    this.#byKind.clear();
  }
}

/**
 * What KGCBP and CC want on the ledger: durable, valid when it came, and dropped when it is committed or can no longer
 * be. One transaction a slot: of two that differ the first one that is valid stays.
 */
export class Inbox {
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #view: LedgerView;
  readonly #membership: Membership;
  readonly #memory: VerifiedSignatures;
  readonly #log: Log;
  readonly #pending = new PendingByKind();
  /** One change after the other: each decides by what is pending, and waits for the disk. */
  readonly #turn = new Exclusive();

  constructor(modules: {
    readonly clock: Clock;
    readonly store: Store;
    readonly view: LedgerView;
    readonly membership: Membership;
    readonly memory: VerifiedSignatures;
    readonly log: Log;
  }) {
    this.#clock = modules.clock;
    this.#store = modules.store;
    this.#view = modules.view;
    this.#membership = modules.membership;
    this.#memory = modules.memory;
    this.#log = modules.log;
  }

  /** Reads back what is on disk and drops what was committed meanwhile. */
  async start(): Promise<void> {
    this.#pending.clear();
    for (const { key, value } of await this.#store.range(storeKey.allPending)) {
      this.#pending.set(key, await this.#decode(decodeTransaction(value)));
    }
    await this.review();
  }

  /**
   * Takes a transaction in. Durable when this resolves; the same one again changes nothing.
   * @returns the chain that it is for.
   * @throws VeilgridError `malformed`, a RefusalCode, `slot-taken` (retry) where another valid one stands, and
   * `not-approved` for a parameter set, whose leaf no issuer signs: only this DA's operator puts it in.
   */
  async accept(transaction: PendingTransaction): Promise<number> {
    if (transaction.kind === KIND.params && !this.isApproved(transaction.leaf)) {
      throw refuse("not-approved", "this aggregator's operator has not approved the parameter set");
    }
    return this.#turn.run(() => this.#put(transaction));
  }

  /**
   * The operator's word for a new parameter set: this DA will propose it and vote for it, also when it has been started
   * again. The last word for a version counts. @throws as `accept`.
   */
  async approve(leaf: Uint8Array): Promise<number> {
    return this.#turn.run(() => this.#put({ kind: KIND.params, leaf }));
  }

  /** Takes the operator's word back; says whether there was one. A vote that was given stands. */
  async withdraw(version: number): Promise<boolean> {
    const key = storeKey.pending(KIND.params, hex(version, 4));
    return this.#turn.run(async () => {
      if (!this.#pending.delete(key)) return false;
      await this.#store.write([{ key, value: undefined }]);
      return true;
    });
  }

  /** The parameter set that the operator approved and that is not committed. */
  get approved(): Uint8Array | undefined {
    return this.#ofKind(KIND.params).at(-1)?.leaf;
  }

  /** Whether a parameter set is one that the operator approved. */
  isApproved(leaf: Uint8Array): boolean {
    return this.#ofKind(KIND.params).some((pending) => equalBytes(pending.leaf, leaf));
  }

  async #put(transaction: PendingTransaction): Promise<number> {
    const pending = await this.#decode(transaction);
    const key = storeKey.pending(pending.kind, pending.slot);
    const before = this.#pending.get(key);
    if (before !== undefined && equalBytes(before.leaf, pending.leaf)) return chainOf(pending);
    await this.#check(pending);
    // An operator may think again; of an issuer's two the first one that is valid stays.
    const stays = before !== undefined && pending.kind !== KIND.params && (await this.#isValid(before));
    if (stays) throw refuse("slot-taken", "another one is pending");
    if (this.#pending.size >= MOST_PENDING) throw refuse("inbox-full", "too many transactions are pending");
    await this.#store.write([{ key, value: encodeTransaction(pending) }]);
    this.#pending.set(key, pending);
    return chainOf(pending);
  }

  /** The epochs that wait for their block in a region, earliest first. */
  epochs(region: number): PendingEpoch[] {
    return this.#allEpochs().filter(({ epoch }) => epoch.region === region);
  }

  /** The regions with a pending epoch. */
  get regions(): number[] {
    return [...new Set(this.#allEpochs().map(({ epoch }) => epoch.region))];
  }

  /**
   * What the next block of chain 0 carries: of the first kind that has something, what fits in one block ("each block
   * taking whatever is ready in all regions"; "other kinds are split by count").
   */
  next(): ReadyLeaves | undefined {
    // A bill's penalties name verdicts. A parameter set comes last: until Q operators have approved it, it must not hold
    // up what bills wait for.
    for (const kind of [KIND.masks, KIND.prices, KIND.verdicts, KIND.bills, KIND.close, KIND.params]) {
      const ready = this.#pending.ofKind(kind);
      // The block is formed when it is asked for: each transaction that comes is a reason to look what is next.
      if (ready.size > 0) return { kind, leaves: () => fill(ascending(ready)) };
    }
    return undefined;
  }

  /** Drops whatever is committed or can no longer be: after each commit, and when nothing moves. */
  review(): Promise<void> {
    return this.#turn.run(() => this.#review());
  }

  async #review(): Promise<void> {
    const changes: Change[] = [];
    for (const [key, pending] of this.#pending.all()) {
      if (await this.#isValid(pending)) continue;
      this.#pending.delete(key);
      changes.push({ key, value: undefined });
    }
    if (changes.length > 0) await this.#store.write(changes);
  }

  #allEpochs(): PendingEpoch[] {
    return this.#ofKind(KIND.epoch).flatMap(({ epoch, leaf }) => (epoch === undefined ? [] : [{ ...epoch, leaf }]));
  }

  #ofKind(kind: number): Pending[] {
    return ascending(this.#pending.ofKind(kind));
  }

  async #decode(transaction: PendingTransaction): Promise<Pending> {
    const slot = slotOfLeaf(transaction);
    if (transaction.kind !== KIND.epoch) return { ...transaction, slot };
    const { body } = decodeLeaf(transaction.leaf);
    const params = await this.#membership.params(epochHead(body).params);
    return { ...transaction, slot, epoch: knownEpoch(epochCodec(params).decode(body), params) };
  }

  /** What the ledger would say of it in a block of its own now. */
  async #check(pending: Pending): Promise<void> {
    const head = await this.#view.head(chainOf(pending));
    const now = BigInt(this.#clock.now());
    const ts = now > head.ts ? now : head.ts + 1n;
    await checkPending(this.#view, pending, ts, this.#memory);
  }

  async #isValid(pending: Pending): Promise<boolean> {
    try {
      await this.#check(pending);
      return true;
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      // What may pass later stays.
      if (!error.retry) this.#log("debug", "transaction-dropped", { kind: pending.kind, code: error.code });
      return error.retry;
    }
  }
}

/** An epoch is for its region's chain, everything else for chain 0. */
function chainOf({ epoch }: Pending): number {
  return epoch?.epoch.region ?? 0;
}

function ascending(pending: ReadonlyMap<string, Pending>): Pending[] {
  return [...pending.values()].sort((a, b) => (a.slot < b.slot ? -1 : 1));
}

/** As many as a block takes, in its order. */
function fill(ready: readonly Pending[]): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  let bytes = 0;
  let last = "";
  for (const pending of ready.slice(0, MOST_LEAVES)) {
    bytes += pending.leaf.length + 3;
    if (leaves.length > 0 && bytes > BLOCK_BYTES) break;
    if (orderOf(pending) === last) continue;
    last = orderOf(pending);
    leaves.push(pending.leaf);
    if (pending.kind === KIND.params) break;
  }
  return leaves;
}

function refuse(code: string, message: string): VeilgridError {
  return new VeilgridError(code, message, { blame: "caller", retry: true });
}
