import { Reader, Writer } from "@veilgrid/protocol";
import type { Change, Store } from "../ports/store.js";
import type { Border } from "./register.js";

const LONGEST_NAME = 255;

/** The register at the last border, as it is on disk: written with the consumption that it ends, in one write. */
export class Borders {
  readonly #store: Store;
  readonly #key: string;

  /** @param name of the meter: its entries in the store begin with it. */
  constructor(store: Store, name: string) {
    this.#store = store;
    this.#key = `${name}/border`;
  }

  get last(): Border | undefined {
    const bytes = this.#store.get(this.#key);
    if (bytes === undefined) return undefined;
    const from = new Reader(bytes, "stored border");
    const border = { at: Number(from.u64()), imported: from.i64(), exported: from.i64() };
    const device = new TextDecoder().decode(from.opaque(0, LONGEST_NAME));
    from.end();
    return device === "" ? border : { ...border, device };
  }

  change({ at, imported, exported, device = "" }: Border): Change {
    const name = Buffer.from(device, "utf8").subarray(0, LONGEST_NAME);
    const to = new Writer().u64(BigInt(at)).i64(imported).i64(exported);
    return { key: this.#key, value: to.opaque(name, 0, LONGEST_NAME).bytes() };
  }
}
