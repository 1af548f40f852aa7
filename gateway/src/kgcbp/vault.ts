import { randomBytes } from "node:crypto";
import { VeilgridError, monthName } from "@veilgrid/protocol";
import { Exclusive } from "../exclusive.js";

/** Where a vault's keys lie: each by its month, and which months were erased. It is never part of a backup. */
export interface Shelf {
  keys(): Promise<ReadonlyMap<number, Uint8Array>>;
  /** The last month that was erased, and with it all before. */
  erased(): Promise<number | undefined>;
  /** Resolved when the key survives a crash of process and machine. */
  put(month: number, key: Uint8Array): Promise<void>;
  /** Resolved when the mark survives a crash of process and machine. */
  markErased(month: number): Promise<void>;
  /** Deletes a key for good, as far as the medium allows. */
  shred(month: number): Promise<void>;
}

const KEY_BYTES = 32;

/**
 * How many months ahead wrapping keys are made: a copy of the vault that the operator keeps apart opens what is sealed in
 * the year after it was taken.
 */
export const AHEAD_MONTHS = 12;

/**
 * The wrapping keys, one a month: "encrypted at rest under a wrapping key for each month that is kept apart from backups;
 * deleting that key *is* erasure, in every backup too" (PROTOCOL section 4, Key generation).
 */
export class Vault {
  readonly #shelf: Shelf;
  readonly #keys: Map<number, Uint8Array>;
  readonly #turn = new Exclusive();
  #erased: number | undefined;

  private constructor(shelf: Shelf, keys: ReadonlyMap<number, Uint8Array>, erased: number | undefined) {
    this.#shelf = shelf;
    this.#keys = new Map(keys);
    this.#erased = erased;
  }

  /** Opens a vault, and ends an erasure that was cut short. @throws VeilgridError `vault-damaged`, as its shelf does. */
  static async open(shelf: Shelf): Promise<Vault> {
    const vault = new Vault(shelf, await shelf.keys(), await shelf.erased());
    await vault.#shred();
    for (const [month, { length }] of vault.#keys) if (length !== KEY_BYTES) throw damaged(month);
    return vault;
  }

  /** The last month that was erased, and with it all before; undefined while none was. */
  get erased(): number | undefined {
    return this.#erased;
  }

  isErased(month: number): boolean {
    return this.#erased !== undefined && month <= this.#erased;
  }

  /**
   * The wrapping key of a month that something was sealed under, 32 bytes; undefined once the month is erased.
   * @throws VeilgridError `wrapping-key-missing` where this is not the vault that it was sealed with.
   */
  find(month: number): Uint8Array | undefined {
    const key = this.#keys.get(month);
    if (key !== undefined || this.isErased(month)) return key;
    throw new VeilgridError("wrapping-key-missing", "the vault has no key of a month that was not erased", {
      facts: { month: monthName(month) },
      blame: "operator",
    });
  }

  /**
   * The wrapping key of a month, made and kept where there is none yet, with those of the months ahead.
   * @throws VeilgridError `month-erased`.
   */
  provide(month: number): Promise<Uint8Array> {
    const known = this.#keys.get(month);
    return known === undefined ? this.#turn.run(() => this.#make(month)) : Promise.resolve(known);
  }

  async #make(month: number): Promise<Uint8Array> {
    if (this.isErased(month)) throw monthErased(month);
    for (let at = month; at <= month + AHEAD_MONTHS; at += 1) {
      if (this.#keys.has(at)) continue;
      const key = randomBytes(KEY_BYTES);
      await this.#shelf.put(at, key);
      this.#keys.set(at, key);
    }
    return this.#keys.get(month) as Uint8Array;
  }

  /**
   * Erases a month and all before it: their keys ratchet to later ones, so that to keep an earlier one is to keep them all.
   * Marked first, so that what a crash leaves of it is done when the vault is opened again.
   */
  erase(month: number): Promise<void> {
    return this.#turn.run(async () => {
      if (!this.isErased(month)) {
        await this.#shelf.markErased(month);
        this.#erased = month;
      }
      await this.#shred();
    });
  }

  async #shred(): Promise<void> {
    for (const [month, key] of [...this.#keys].sort(([a], [b]) => a - b)) {
      if (!this.isErased(month)) continue;
      await this.#shelf.shred(month);
      key.fill(0);
      this.#keys.delete(month);
    }
  }
}

function damaged(month: number): VeilgridError {
  return new VeilgridError("vault-damaged", "a key in the vault is not what was written", {
    facts: { month: monthName(month) },
    blame: "operator",
  });
}

/** Nothing is kept of a month any more, or for it. */
export function monthErased(month: number): VeilgridError {
  return new VeilgridError("month-erased", "the month's keys were erased", {
    facts: { month: monthName(month) },
    blame: "operator",
  });
}
