import { memoReader, type StateReader, type StateWrite } from "@veilgrid/protocol";
import type { Context } from "fabric-contract-api";

/** What a transaction reads and writes the state with. */
export type Stub = Context["stub"];

/** The state as this transaction sees it; each key is asked of the peer once. */
export function stubState(stub: Stub): StateReader {
  return memoReader({
    async get(key) {
      const value = await stub.getState(key);
      // A missing key comes back as an empty buffer; the ledger stores no empty value. A plain copy otherwise: a
      // Buffer's slice() shares its memory.
      return value.length === 0 ? undefined : new Uint8Array(value);
    },
  });
}

/** Puts a transition's writes, in their order. */
export async function putWrites(stub: Stub, writes: readonly StateWrite[]): Promise<void> {
  for (const { key, value } of writes) {
    if (value === undefined) await stub.deleteState(key);
    else await stub.putState(key, value);
  }
}
