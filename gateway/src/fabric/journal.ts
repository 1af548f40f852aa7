import { createHash } from "node:crypto";
import { Reader, Writer, compareBytes, toHex, utf8 } from "@veilgrid/protocol";
import type { Call } from "../ports/ledger.js";
import type { Store } from "../ports/store.js";

/** A signed transaction whose outcome is not known: from before it is sent until what became of it is. */
export interface Pending {
  readonly txId: string;
  /** The caller. */
  readonly msp: string;
  /** Which call it came of (`callDigest`, hex). */
  readonly call: string;
  /** The signed transaction as it was and would again be sent; public on the ledger anyway. */
  readonly bytes: Uint8Array;
}

const PREFIX = "pending/";
const LONGEST = 2 ** 32 - 1;

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** What tells one call from another: SHA-256 (hex) over caller, function, arguments and the transient data's hashes. */
export function callDigest(msp: string, { name, args, transient = {} }: Call): string {
  const out = new Writer().opaque(utf8(msp), 0, LONGEST).opaque(utf8(name), 0, LONGEST).u32(args.length);
  for (const arg of args) out.opaque(utf8(arg), 0, LONGEST);
  const bulk = Object.entries(transient).map(([key, value]) => [utf8(key), sha256(value)] as const);
  bulk.sort(([a], [b]) => compareBytes(a, b));
  for (const [key, digest] of bulk) out.opaque(key, 0, LONGEST).fixed(digest, 32);
  return toHex(sha256(out.bytes()));
}

function encode({ msp, call, bytes }: Pending): Uint8Array {
  return new Writer().opaque(utf8(msp), 0, LONGEST).opaque(utf8(call), 0, LONGEST).opaque(bytes, 0, LONGEST).bytes();
}

function decode(key: string, value: Uint8Array): Pending {
  const reader = new Reader(value, "transaction under way", LONGEST);
  const text = (): string => Buffer.from(reader.opaque(0, LONGEST)).toString();
  const pending = {
    txId: key.slice(PREFIX.length),
    msp: text(),
    call: text(),
    bytes: reader.opaque(0, LONGEST).slice(),
  };
  reader.end();
  return pending;
}

/**
 * The transactions under way, on disk. Each has at most one owner, who follows it to its end; one that has none, because
 * its owner gave up or its process died, is taken up by the next same call.
 */
export class Journal {
  readonly #store: Store;
  readonly #left = new Map<string, Pending>();

  private constructor(store: Store, left: readonly Pending[]) {
    this.#store = store;
    for (const pending of left) this.#left.set(pending.txId, pending);
  }

  /** @throws VeilgridError `malformed` for a store that something else wrote. */
  static async open(store: Store): Promise<Journal> {
    const entries = await store.range(PREFIX);
    return new Journal(
      store,
      entries.map(({ key, value }) => decode(key, value)),
    );
  }

  /** Writes a transaction down: only then may it be sent. The caller owns it. */
  add(pending: Pending): Promise<void> {
    return this.#store.write([{ key: PREFIX + pending.txId, value: encode(pending) }]);
  }

  /** Takes up a transaction of this call that nobody owns. */
  take(call: string): Pending | undefined {
    const found = [...this.#left.values()].find((pending) => pending.call === call);
    if (found !== undefined) this.#left.delete(found.txId);
    return found;
  }

  /** Takes up all that nobody owns. */
  takeAll(): readonly Pending[] {
    const all = [...this.#left.values()];
    this.#left.clear();
    return all;
  }

  /** The owner gives it up; unless it is closed, its outcome stays unknown. */
  leave(pending: Pending): void {
    if (this.#store.get(PREFIX + pending.txId) !== undefined) this.#left.set(pending.txId, pending);
  }

  /** The outcome is known. */
  close({ txId }: Pending): Promise<void> {
    return this.#store.write([{ key: PREFIX + txId, value: undefined }]);
  }
}
