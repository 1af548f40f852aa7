import type { Write } from "../ports/ledger.js";
import { StateQueryIterator, ledger, peer } from "./fabric.js";
import type { QueryResponseMessage } from "./messages.js";
import { compareKeys } from "./rwset.js";
import type { KeyRead, RangeRead, ReadWriteSet, Version } from "./rwset.js";
import type { Cursor, KeyedEntry, StateView } from "./state.js";

/** Entries in one message of a range query: Fabric's peer sends as many (core.yaml, totalQueryLimit's batch). */
const BATCH = 100;

interface Range {
  readonly start: string;
  readonly end: string;
  readonly cursor: Cursor;
  readonly reads: KeyRead[];
  /** Read ahead, to know whether there is more. */
  next: KeyedEntry | undefined;
}

function toKv(entry: KeyedEntry): Uint8Array {
  const kv = new ledger.queryresult.KV();
  kv.setKey(entry.key);
  kv.setValue(entry.value);
  return kv.serializeBinary();
}

function toResult(entry: KeyedEntry): InstanceType<typeof peer.QueryResultBytes> {
  const result = new peer.QueryResultBytes();
  result.setResultbytes(toKv(entry));
  return result;
}

/** Runs at once; what it throws becomes the rejection that the stub's caller awaits. */
function attempt<T>(action: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(action());
  });
}

function refuse(what: string): Promise<never> {
  return Promise.reject(new Error(`the embedded ledger has no ${what}`));
}

/**
 * Answers the requests of fabric-shim's ChaincodeStub from a view of the state, as a peer's transaction simulator does:
 * reads see the view and never the transaction's own writes; the last write of a key counts; an empty value deletes.
 * What it saw and wrote is the read-write set. The method names are those that the stub calls.
 */
export class Simulator {
  readonly #view: StateView;
  readonly #reads = new Map<string, Version | undefined>();
  readonly #writes = new Map<string, Uint8Array | undefined>();
  readonly #ranges = new Map<string, Range>();
  #over = false;

  constructor(view: StateView) {
    this.#view = view;
  }

  #require(collection: string): void {
    if (this.#over) throw new Error("the transaction is over: a call to the stub was not awaited");
    if (collection !== "") throw new Error("the embedded ledger has no private data");
  }

  handleGetState(collection: string, key: string): Promise<Buffer> {
    return attempt(() => {
      this.#require(collection);
      const entry = this.#view.get(key);
      this.#reads.set(key, entry?.version);
      if (entry === undefined) return Buffer.alloc(0);
      return Buffer.from(entry.value.buffer, entry.value.byteOffset, entry.value.byteLength);
    });
  }

  handlePutState(collection: string, key: string, value: Uint8Array): Promise<Buffer> {
    return attempt(() => {
      this.#require(collection);
      if (key === "") throw new Error("a key must not be empty");
      // A copy: the contract may go on using its array.
      this.#writes.set(key, value.length === 0 ? undefined : new Uint8Array(value));
      return Buffer.alloc(0);
    });
  }

  handleDeleteState(collection: string, key: string): Promise<Buffer> {
    return attempt(() => {
      this.#require(collection);
      this.#writes.set(key, undefined);
      return Buffer.alloc(0);
    });
  }

  async handleGetStateByRange(
    collection: string,
    start: string,
    end: string,
    channel: string,
    txId: string,
    metadata?: Uint8Array,
  ): Promise<{ iterator: object }> {
    this.#require(collection);
    if (metadata !== undefined) throw new Error("the embedded ledger has no pages");
    const id = this.#ranges.size.toString();
    const cursor = this.#view.range(start, end);
    const range = { start, end, cursor, reads: [], next: undefined };
    this.#ranges.set(id, range);
    [(range as Range).next] = await cursor.next(1);
    return { iterator: new StateQueryIterator(this, channel, txId, await this.handleQueryStateNext(id)) };
  }

  async handleQueryStateNext(id: string): Promise<QueryResponseMessage> {
    this.#require("");
    const range = this.#ranges.get(id) as Range;
    const batch = range.next === undefined ? [] : [range.next, ...(await range.cursor.next(BATCH))];
    range.next = batch.length > BATCH ? batch.pop() : undefined;
    for (const { key, version } of batch) range.reads.push({ key, version });
    const response = new peer.QueryResponse();
    response.setId(id);
    response.setHasMore(range.next !== undefined);
    response.setResultsList(batch.map(toResult));
    return response;
  }

  async handleQueryStateClose(id: string): Promise<QueryResponseMessage> {
    await this.#ranges.get(id)?.cursor.close();
    return new peer.QueryResponse();
  }

  handlePutStateMetadata(): Promise<never> {
    return refuse("endorsement policies of keys");
  }

  handleGetStateMetadata(): Promise<never> {
    return refuse("endorsement policies of keys");
  }

  handleGetPrivateDataHash(): Promise<never> {
    return refuse("private data");
  }

  handlePurgeState(): Promise<never> {
    return refuse("private data");
  }

  handleGetQueryResult(): Promise<never> {
    return refuse("rich queries");
  }

  handleGetHistoryForKey(): Promise<never> {
    return refuse("history of keys");
  }

  handleInvokeChaincode(): Promise<never> {
    return refuse("other chaincode");
  }

  /** Ends the simulation: whatever the contract left running finds the transaction over. */
  async finish(): Promise<ReadWriteSet> {
    this.#over = true;
    for (const { cursor } of this.#ranges.values()) await cursor.close();
    const byKey = (a: { key: string }, b: { key: string }): number => compareKeys(a.key, b.key);
    const reads: KeyRead[] = [...this.#reads].map(([key, version]) => ({ key, version }));
    const writes: Write[] = [...this.#writes].map(([key, value]) => ({ key, value }));
    return {
      reads: reads.sort(byKey),
      ranges: [...this.#ranges.values()].map(toRangeRead),
      writes: writes.sort(byKey),
    };
  }
}

function toRangeRead({ start, end, reads, next }: Range): RangeRead {
  const exhausted = next === undefined;
  return { start, end: exhausted ? end : (reads.at(-1)?.key ?? start), exhausted, reads };
}
