import {
  Reader,
  VeilgridError,
  Writer,
  equalBytes,
  monthName,
  ratchet,
  toHex,
  utf8,
  type Period,
} from "@veilgrid/protocol";
import type { Enrolment, KeyStore } from "../ports/keystore.js";
import type { Store } from "../ports/store.js";
import { enrolmentName } from "./names.js";

const MAX_NAME = 255;
const text = new TextDecoder();

function encodeEnrolment(e: Enrolment): Uint8Array {
  const writer = new Writer().fixed(e.bid, 16).u16(e.region).u32(e.from.month).u16(e.from.k);
  writer.opaque(utf8(e.meter), 1, MAX_NAME).opaque(utf8(e.recipient), 1, MAX_NAME);
  return e.to === undefined ? writer.bytes() : writer.u32(e.to.month).u16(e.to.k).bytes();
}

function readPeriod(reader: Reader): Period {
  return { month: reader.u32(), k: reader.u16() };
}

function decodeEnrolment(bytes: Uint8Array): Enrolment {
  const reader = new Reader(bytes, "enrolment");
  const head = { bid: reader.fixed(16), region: reader.u16(), from: readPeriod(reader) };
  const names = { meter: text.decode(reader.opaque(1, MAX_NAME)), recipient: text.decode(reader.opaque(1, MAX_NAME)) };
  const to = reader.left > 0 ? readPeriod(reader) : undefined;
  reader.end();
  return { ...head, ...names, to };
}

function keyName(enrolment: Enrolment, month: number): string {
  return `key/${enrolmentName(enrolment)}/${String(month).padStart(6, "0")}`;
}

/** KGCBP's register and month keys in a store of its own. They lie there as they are: the store's disk is the guard. */
export class StoredKeys implements KeyStore {
  readonly #store: Store;
  readonly #consortium: Uint8Array;

  /** @param consortium the consortium id, which salts the ratchet. */
  constructor(store: Store, consortium: Uint8Array) {
    this.#store = store;
    this.#consortium = consortium;
  }

  async enrolments(): Promise<readonly Enrolment[]> {
    return (await this.#store.range("enrolment/")).map(({ value }) => decodeEnrolment(value));
  }

  async enrol(enrolment: Enrolment, monthKey: Uint8Array): Promise<void> {
    const name = `enrolment/${enrolmentName(enrolment)}`;
    const key = keyName(enrolment, enrolment.from.month);
    const value = encodeEnrolment(enrolment);
    const known = this.#store.get(name);
    if (known === undefined) {
      await this.#store.write([
        { key: name, value },
        { key, value: monthKey },
      ]);
      return;
    }
    const knownKey = this.#store.get(key);
    if (equalBytes(known, value) && knownKey !== undefined && equalBytes(knownKey, monthKey)) return;
    throw new VeilgridError("already-enrolled", "the BID has another enrolment from this period", {
      facts: { bid: toHex(enrolment.bid), month: monthName(enrolment.from.month), k: enrolment.from.k },
      blame: "operator",
    });
  }

  async monthKey(enrolment: Enrolment, month: number): Promise<Uint8Array> {
    const known = this.#newest(enrolment, month);
    let { key } = known;
    const derived: { key: string; value: Uint8Array }[] = [];
    for (let next = known.month + 1; next <= month; next += 1) {
      key = ratchet(key, this.#consortium, next);
      derived.push({ key: keyName(enrolment, next), value: key });
    }
    if (derived.length > 0) await this.#store.write(derived);
    return key;
  }

  /** The newest key of `month` or before. */
  #newest(enrolment: Enrolment, month: number): { month: number; key: Uint8Array } {
    for (let at = month; at >= enrolment.from.month; at -= 1) {
      const key = this.#store.get(keyName(enrolment, at));
      if (key !== undefined) return { month: at, key };
    }
    throw new VeilgridError("key-missing", "there is no key for this meter and month", {
      facts: { bid: toHex(enrolment.bid), month: monthName(month) },
      blame: "operator",
    });
  }
}
