import { Reader, Writer, concat, equalBytes, isVeilgridError, utf8, type StateReader } from "@veilgrid/protocol";
import { VALID } from "../audit/replay.js";
import { MAX_VECTOR } from "../ledger/rwset.js";
import type { LedgerBlock, LedgerEvent } from "../ports/ledger.js";
import type { Change, Store } from "../ports/store.js";
import { replicaDamaged } from "./faults.js";
import { fingerprint, type BlockParts } from "./rawblock.js";

// Keys of the store: "state/" ‖ a key of the chaincode, "block/" ‖ number (16 hex digits), "tip".
//
//   Tip   { uint64 height; hash[32]; opaque commitHash<0..32>; opaque chaincode<1..255> }
//   Block { fingerprint[32]; uint32 count; { opaque txId<0..255>, name<0..2^16-1>, payload<0..2^32-1> } [count] }
//
// A block's entry has the events of its valid transactions. They are kept, not read again from a peer, because they are
// a hundredth of the blocks' bytes, every role asks for them at its start, and what was delivered once must be
// delivered alike after a crash, whether a peer is there or not.

const TIP = "tip";

/** The last block that is in a replica. */
export interface ReplicaTip {
  /** Its number + 1. */
  readonly height: bigint;
  /** Its header's hash, 32 bytes; zero before the first. */
  readonly hash: Uint8Array;
  /** Its commit hash, 32 bytes; undefined where it has none. */
  readonly commitHash: Uint8Array | undefined;
}

const NOTHING: ReplicaTip = { height: 0n, hash: new Uint8Array(32), commitHash: undefined };

function blockKey(number: bigint): string {
  return `block/${number.toString(16).padStart(16, "0")}`;
}

/** What a replica keeps: the chaincode's state, what each block was, the events, and how far it has come. */
export class KeptLedger {
  readonly #store: Store;
  readonly #chaincode: string;
  #tip: ReplicaTip;

  /** @throws VeilgridError `replica-damaged`, also where the store is of another chaincode. */
  constructor(store: Store, chaincode: string) {
    this.#store = store;
    this.#chaincode = chaincode;
    this.#tip = reading("its tip", () => this.#readTip());
  }

  get tip(): ReplicaTip {
    return this.#tip;
  }

  get state(): StateReader {
    return { get: (key) => Promise.resolve(this.#store.get(`state/${key}`)) };
  }

  /** What block `number`, below the height, was: see `fingerprint`. @throws VeilgridError `replica-damaged`. */
  fingerprint(number: bigint): Uint8Array {
    return reading("a block", () => this.#entry(number).fixed(32));
  }

  /** The events of block `number`, below the height, in order. @throws VeilgridError `replica-damaged`. */
  events(number: bigint): readonly LedgerEvent[] {
    return reading("a block's events", () => {
      const entry = this.#entry(number);
      entry.fixed(32);
      return Array.from({ length: entry.u32() }, () => ({
        blockNumber: number,
        txId: Buffer.from(entry.opaque(0, 0xff)).toString(),
        name: Buffer.from(entry.opaque(0, 0xffff)).toString(),
        payload: entry.opaque(0, MAX_VECTOR),
      }));
    });
  }

  /** Adds the next block and what it changes: after a crash at any moment all of it is there, or nothing. */
  async append(parts: BlockParts, block: LedgerBlock): Promise<void> {
    const tip = { height: parts.number + 1n, hash: parts.hash, commitHash: parts.commitHash };
    await this.#store.write([
      ...stateChanges(block),
      { key: blockKey(parts.number), value: encodeEntry(parts, block) },
      { key: TIP, value: this.#encodeTip(tip) },
    ]);
    this.#tip = tip;
  }

  #entry(number: bigint): Reader {
    const stored = this.#store.get(blockKey(number));
    if (stored === undefined) throw replicaDamaged(`block ${number.toString()} is missing`);
    return new Reader(stored, "block of a replica", MAX_VECTOR);
  }

  #encodeTip({ height, hash, commitHash = new Uint8Array() }: ReplicaTip): Uint8Array {
    return new Writer()
      .u64(height)
      .fixed(hash, 32)
      .opaque(commitHash, 0, 32)
      .opaque(utf8(this.#chaincode), 1, 255)
      .bytes();
  }

  #readTip(): ReplicaTip {
    const stored = this.#store.get(TIP);
    if (stored === undefined) return NOTHING;
    const reader = new Reader(stored, "tip of a replica");
    const [height, hash, commitHash] = [reader.u64(), reader.fixed(32), reader.opaque(0, 32)];
    if (!equalBytes(reader.opaque(1, 255), utf8(this.#chaincode))) throw replicaDamaged("it is of another chaincode");
    reader.end();
    return { height, hash, commitHash: commitHash.length === 0 ? undefined : commitHash };
  }
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isVeilgridError(error, "replica-damaged")) throw error;
    throw replicaDamaged(`${what} cannot be read`, error);
  }
}

/** The valid transactions' writes, one for each key: the last counts. */
function stateChanges({ transactions }: LedgerBlock): Change[] {
  const last = new Map<string, Uint8Array | undefined>();
  for (const { writes } of transactions.filter(({ validation }) => validation === VALID)) {
    for (const { key, value } of writes) last.set(key, value);
  }
  return [...last].map(([key, value]) => ({ key: `state/${key}`, value }));
}

function encodeEntry(parts: BlockParts, { transactions }: LedgerBlock): Uint8Array {
  const events = transactions.flatMap(({ txId, validation, event }) =>
    event === undefined || validation !== VALID ? [] : [{ txId, ...event }],
  );
  const entry = new Writer().u32(events.length);
  for (const { txId, name, payload } of events) {
    entry.opaque(utf8(txId), 0, 0xff).opaque(utf8(name), 0, 0xffff).opaque(payload, 0, MAX_VECTOR);
  }
  return concat(fingerprint(parts), entry.bytes());
}
