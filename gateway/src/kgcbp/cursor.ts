import { Reader, Writer, type Period } from "@veilgrid/protocol";
import type { Change, Store } from "../ports/store.js";

/** How far a task of KGCBP's has come, in its store: one period for each region. */
export class Cursor {
  readonly #store: Pick<Store, "get">;
  readonly #name: string;

  /** @param name what the entries' keys begin with. */
  constructor(store: Pick<Store, "get">, name: string) {
    this.#store = store;
    this.#name = name;
  }

  #key(region: number): string {
    return `${this.#name}/${String(region).padStart(5, "0")}`;
  }

  /** The region's period; undefined where none is kept. @throws VeilgridError `malformed`. */
  of(region: number): Period | undefined {
    const bytes = this.#store.get(this.#key(region));
    if (bytes === undefined) return undefined;
    const reader = new Reader(bytes, `cursor ${this.#name}`);
    return { month: reader.u32(), k: reader.u16() };
  }

  /** The change of the store that keeps a region's period. */
  at(region: number, { month, k }: Period): Change {
    return { key: this.#key(region), value: new Writer().u32(month).u16(k).bytes() };
  }

  /** The change of the store that forgets it. */
  none(region: number): Change {
    return { key: this.#key(region), value: undefined };
  }
}
