import { toHex, utf8, VeilgridError } from "@veilgrid/protocol";
import type { Store } from "../ports/store.js";

/** A customer who came in the course of the run, as the operator calls it. */
export interface Newcomer {
  readonly meter: string;
  /** Unique at the meter. */
  readonly name: string;
}

const PREFIX = "customer/";
const text = new TextDecoder();

/** The names of a run's newcomers, by BID: their keys follow from them and from the run's secret. */
export class Newcomers {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** What keeps a newcomer, to be written before anything is made of the names. @param bid 16 bytes. */
  entry(bid: Uint8Array, { meter, name }: Newcomer): { key: string; value: Uint8Array } {
    return { key: `${PREFIX}${toHex(bid)}`, value: utf8(JSON.stringify({ meter, name })) };
  }

  /** @throws VeilgridError `damaged-folder`. */
  get(bid: Uint8Array): Newcomer {
    const value = this.#store.get(`${PREFIX}${toHex(bid)}`);
    if (value !== undefined) return JSON.parse(text.decode(value)) as Newcomer;
    throw new VeilgridError("damaged-folder", "the run does not know the name of a changed meter's customer", {
      blame: "operator",
    });
  }

  /** All that the operator ever named, ascending by BID; a change that a crash has prevented has left its name here, too. */
  async all(): Promise<Newcomer[]> {
    const entries = await this.#store.range(PREFIX);
    return entries.map(({ value }) => JSON.parse(text.decode(value)) as Newcomer);
  }
}
