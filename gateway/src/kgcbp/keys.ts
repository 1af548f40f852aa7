import { VeilgridError, equalBytes, monthName, ratchet, toHex } from "@veilgrid/protocol";
import type { Enrolment, EnrolmentId, KeyStore, MeterChange, RegisterChange } from "../ports/keystore.js";
import type { Change } from "../ports/store.js";
import { enrolmentName, meterName } from "./names.js";
import { decodeChange, decodeEnrolment, encodeChange, encodeEnrolment } from "./register-records.js";
import type { SealedStore } from "./sealed-store.js";

function keyName(enrolment: Enrolment, month: number): string {
  return `key/${enrolmentName(enrolment)}/${String(month).padStart(6, "0")}`;
}

function changeName({ meter, serial }: MeterChange): string {
  return `change/${meterName(meter)}/${String(serial).padStart(10, "0")}`;
}

/** Its end is no part of it: that becomes known, or changes, later. */
function isSameSupply(known: Enrolment, asked: Enrolment): boolean {
  return equalBytes(encodeEnrolment({ ...known, to: asked.to }), encodeEnrolment(asked));
}

function alreadyChanged({ meter, serial }: MeterChange): VeilgridError {
  return new VeilgridError("already-changed", "the meter has another change of this serial number", {
    facts: { meter, serial },
    blame: "operator",
  });
}

/** The register does not know an enrolment. */
export function notEnrolled({ bid, from }: EnrolmentId): VeilgridError {
  return new VeilgridError("not-enrolled", "the register does not know this enrolment", {
    facts: { bid: toHex(bid), month: from.month, k: from.k },
    blame: "operator",
  });
}

/** Whether a supply's keys are needed after a month: it began by then, and is not over. */
function lastsBeyond({ from, to }: Enrolment, month: number): boolean {
  return from.month <= month && (to === undefined || to.month > month + 1 || (to.month === month + 1 && to.k > 0));
}

/** KGCBP's register and month keys in a store of its own, each key under the wrapping key of its month. */
export class StoredKeys implements KeyStore {
  readonly #store: SealedStore;
  readonly #consortium: Uint8Array;

  /** @param consortium the consortium id, which salts the ratchet. */
  constructor(store: SealedStore, consortium: Uint8Array) {
    this.#store = store;
    this.#consortium = consortium;
  }

  async enrolments(): Promise<readonly Enrolment[]> {
    return (await this.#store.range("enrolment/")).map(({ value }) => decodeEnrolment(value));
  }

  async changes(): Promise<readonly MeterChange[]> {
    return (await this.#store.range("change/")).map(({ value }) => decodeChange(value));
  }

  async enrol(enrolment: Enrolment, monthKey: Uint8Array): Promise<void> {
    const changes = this.#beginning(enrolment, monthKey);
    if (changes.length > 0) await this.#store.write(changes);
  }

  async change({ change, begins, ends }: RegisterChange): Promise<void> {
    const key = changeName(change);
    const value = encodeChange(change);
    const known = this.#store.get(key);
    if (known !== undefined && equalBytes(known, value)) return;
    if (known !== undefined) throw alreadyChanged(change);
    const supplies = begins === undefined ? [] : this.#beginning(begins.enrolment, begins.monthKey);
    const ended = ends === undefined ? [] : [this.#ending(ends)];
    await this.#store.write([{ key, value }, ...supplies, ...ended]);
  }

  /** What the store lacks of an enrolment. */
  #beginning(enrolment: Enrolment, monthKey: Uint8Array): Change[] {
    const name = `enrolment/${enrolmentName(enrolment)}`;
    const key = keyName(enrolment, enrolment.from.month);
    const known = this.#store.get(name);
    if (known === undefined) {
      return [
        { key: name, value: encodeEnrolment(enrolment) },
        { key, value: monthKey },
      ];
    }
    if (isSameSupply(decodeEnrolment(known), enrolment) && this.#isOrWasKey(key, monthKey)) return [];
    throw new VeilgridError("already-enrolled", "the BID has another enrolment from this period", {
      facts: { bid: toHex(enrolment.bid), month: monthName(enrolment.from.month), k: enrolment.from.k },
      blame: "operator",
    });
  }

  /** A key that was erased cannot be compared any more. */
  #isOrWasKey(name: string, monthKey: Uint8Array): boolean {
    const known = this.#store.get(name);
    return known === undefined || equalBytes(known, monthKey);
  }

  #ending({ enrolment, to }: NonNullable<RegisterChange["ends"]>): Change {
    const key = `enrolment/${enrolmentName(enrolment)}`;
    const known = this.#store.get(key);
    if (known === undefined) throw notEnrolled(enrolment);
    return { key, value: encodeEnrolment({ ...decodeEnrolment(known), to }) };
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

  get erased(): number | undefined {
    return this.#store.erased;
  }

  async erase(month: number): Promise<void> {
    // The ratchet goes forward only: what later months need is derived before its origin is gone.
    for (const enrolment of await this.enrolments()) {
      if (lastsBeyond(enrolment, month) && !this.#hasKeyAfter(enrolment, month))
        await this.monthKey(enrolment, month + 1);
    }
    await this.#store.erase(month);
  }

  #hasKeyAfter(enrolment: Enrolment, month: number): boolean {
    return this.#store.get(keyName(enrolment, month + 1)) !== undefined;
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
