/** Reads the ledger's state by key: the chaincode's stub, a peer's query, or a replayed ledger file. */
export interface StateReader {
  get(key: string): Promise<Uint8Array | undefined>;
}

/** One change of the state; without a value the key is deleted. */
export interface StateWrite {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** What a valid transaction does: its writes, in a fixed order, and its one event. */
export interface Transition {
  readonly writes: readonly StateWrite[];
  readonly event: { readonly name: "setup" | "leader" | "block"; readonly payload: Uint8Array };
}

/** A reader that asks each key once: within one transaction the state stands still. */
export function memoReader(reader: StateReader): StateReader {
  const seen = new Map<string, Promise<Uint8Array | undefined>>();
  return {
    get(key) {
      let value = seen.get(key);
      if (value === undefined) {
        value = reader.get(key);
        seen.set(key, value);
      }
      return value;
    },
  };
}
