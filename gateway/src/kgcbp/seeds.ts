import { deriveSeeds, type Seeds } from "@veilgrid/protocol";
import type { KeyStore } from "../ports/keystore.js";
import type { EpochMember } from "./epoch-record.js";
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
  async of(member: Pick<EpochMember, "bid" | "from">, month: number): Promise<Seeds> {
    const key = await this.#keys.monthKey(this.#register.get(member), month);
    return deriveSeeds(key, this.#consortium, month);
  }
}
