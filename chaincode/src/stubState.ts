import { memoReader, type StateReader, type StateWrite } from "@veilgrid/protocol";
import type { ChaincodeStub } from "fabric-shim";

/** The state as this transaction sees it; each key is asked of the peer once. */
export function stubState(stub: ChaincodeStub): StateReader {
  return memoReader({
    async get(key) {
      const value = await stub.getState(key);
      // A missing key comes back as an empty buffer; the ledger stores no empty value.
      return value.length === 0 ? undefined : value;
    },
  });
}

/** Puts a transition's writes, in their order. */
export async function putWrites(stub: ChaincodeStub, writes: readonly StateWrite[]): Promise<void> {
  for (const { key, value } of writes) {
    if (value === undefined) await stub.deleteState(key);
    else await stub.putState(key, value);
  }
}
