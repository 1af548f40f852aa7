import { deriveSeeds, type Seeds } from "@veilgrid/protocol";
import type { EnrolmentId, KeyStore } from "../ports/keystore.js";
import type { Register } from "./register.js";

/** The four GGM roots of a meter for a month, from its enrolment's month key. */
export class MeterSeeds {
  readonly #consortium: Uint8Array;
  readonly #register: Register;
  readonly #keys: KeyStore;

  constructor(consortium: Uint8Array, register: Register, keys: KeyStore) {
    this.#consortium = consortium;
    this.#register = register;
    this.#keys = keys;
  }

  /** @throws VeilgridError `not-enrolled`, `key-missing`. */
  async of(member: EnrolmentId, month: number): Promise<Seeds> {
    return deriveSeeds(await this.key(member, month), this.#consortium, month);
  }

  /** The month key K itself, 32 bytes: for its meter alone. @throws VeilgridError `not-enrolled`, `key-missing`. */
  key(member: EnrolmentId, month: number): Promise<Uint8Array> {
    return this.#keys.monthKey(this.#register.get(member), month);
  }
}
