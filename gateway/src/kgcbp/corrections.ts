import { Reader, Writer, compareBytes, comparePeriods, fromHex, toHex, utf8, type Period } from "@veilgrid/protocol";
import type { Change, Store } from "../ports/store.js";
import { monthPart } from "./names.js";

/** What a period without a complete reading came to, by the meter's own log. */
export interface KeptCorrection {
  /** 16 bytes. */
  readonly bid: Uint8Array;
  readonly period: Period;
  /** Signed Wh. */
  readonly wh: bigint;
  /** Why, for the customer. */
  readonly reason: string;
  /** The month of the bill whose deltas have it, 12*year + (month-1); undefined while none has. */
  readonly carried: number | undefined;
}

const PREFIX = "correction/";
/** No bill has a month 0: the protocol begins with 1970. */
const NONE = 0;
const text = new TextDecoder();

function nameOf(bid: Uint8Array, { month, k }: Period): string {
  return `${PREFIX}${monthPart(month)}/${toHex(bid)}/${String(k).padStart(4, "0")}`;
}

function encode({ wh, reason, carried = NONE }: KeptCorrection): Uint8Array {
  return new Writer().i64(wh).u32(carried).opaque(utf8(reason), 0, 0xffff).bytes();
}

function decode(key: string, bytes: Uint8Array): KeptCorrection {
  const [, month, bid, k] = key.split("/");
  const reader = new Reader(bytes, "settled period");
  const [wh, carried, reason] = [reader.i64(), reader.u32(), text.decode(reader.opaque(0, 0xffff))];
  reader.end();
  const period = { month: Number(month), k: Number(k) };
  return { bid: fromHex(bid as string), period, wh, reason, carried: carried === NONE ? undefined : carried };
}

/** The settled periods that KGCBP keeps, under the wrapping keys of their months. */
export class Corrections {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  find(bid: Uint8Array, period: Period): KeptCorrection | undefined {
    const key = nameOf(bid, period);
    const bytes = this.#store.get(key);
    return bytes === undefined ? undefined : decode(key, bytes);
  }

  /** All of them, ascending by period and then by BID. */
  async all(): Promise<KeptCorrection[]> {
    const all = (await this.#store.range(PREFIX)).map(({ key, value }) => decode(key, value));
    return all.sort((a, b) => comparePeriods(a.period, b.period) || compareBytes(a.bid, b.bid));
  }

  /** The change of the store that keeps one. */
  keep(correction: KeptCorrection): Change {
    return { key: nameOf(correction.bid, correction.period), value: encode(correction) };
  }
}
