import { VeilgridError, concat, equalBytes, isVeilgridError, utf8 } from "@veilgrid/protocol";
import { Exclusive } from "../exclusive.js";
import type { Change, Store } from "../ports/store.js";
import { seal, unseal } from "./seal.js";
import type { Vault } from "./vault.js";

/**
 * What KGCBP keeps that would open a month, or tell of its customers: by the first part of the key, which part of it is
 * the month. Month keys open everything; settlements are the meters' consumption; cases, findings and charges name meters,
 * findings hold their readings, and corrections are what their logs say.
 */
const MONTH_PART: Readonly<Record<string, number>> = {
  key: 4,
  settled: 2,
  case: 2,
  finding: 2,
  "case-key": 1,
  correction: 1,
  charged: 1,
};

/** Up to which month what is erased was deleted, too. */
const SWEPT = "swept";

/** The month under whose wrapping key a store's entry is sealed; undefined for what is kept as it is. */
export function sealedMonth(key: string): number | undefined {
  const parts = key.split("/");
  const part = MONTH_PART[parts[0] as string];
  return part === undefined ? undefined : Number(parts[part]);
}

/**
 * A store whose secrets are encrypted, each under the wrapping key of its month and bound to consortium and key, hence to
 * enrolment and month. What was sealed for a month that is erased since is as if it was never there.
 */
export class SealedStore implements Store {
  readonly #store: Store;
  readonly #vault: Vault;
  readonly #consortium: Uint8Array;
  readonly #sealing = new Exclusive();

  constructor(store: Store, vault: Vault, consortium: Uint8Array) {
    this.#store = store;
    this.#vault = vault;
    this.#consortium = consortium;
  }

  /** The last month that was erased, and with it all before; undefined while none was. */
  get erased(): number | undefined {
    return this.#vault.erased;
  }

  /** @throws VeilgridError `sealed-otherwise`, `wrapping-key-missing`. */
  get(key: string): Uint8Array | undefined {
    const value = this.#store.get(key);
    return value && this.#opened(key, value);
  }

  #opened(key: string, value: Uint8Array): Uint8Array | undefined {
    const month = sealedMonth(key);
    if (month === undefined) return value;
    const wrapping = this.#vault.find(month);
    if (wrapping === undefined) return undefined;
    try {
      return unseal(wrapping, this.#context(key), value);
    } catch (error) {
      if (!isVeilgridError(error, "sealed-otherwise")) throw error;
      const { code, message, cause } = error;
      throw new VeilgridError(code, message, {
        facts: { kind: key.split("/")[0] as string, month },
        blame: "operator",
        cause,
      });
    }
  }

  #context(key: string): Uint8Array {
    return concat(utf8("veilgrid/1/kept/"), this.#consortium, utf8(key));
  }

  /** @throws VeilgridError `month-erased`. */
  write(changes: readonly Change[]): Promise<void> {
    // Sealing takes one write longer than another: they go on in the order in which they came.
    const sealed = this.#sealing.run(() => this.#seal(changes));
    return sealed.then((ready) => this.#store.write(ready));
  }

  async #seal(changes: readonly Change[]): Promise<readonly Change[]> {
    const sealed: Change[] = [];
    for (const { key, value } of changes) sealed.push({ key, value: value && (await this.#sealed(key, value)) });
    return sealed;
  }

  async #sealed(key: string, value: Uint8Array): Promise<Uint8Array> {
    const month = sealedMonth(key);
    return month === undefined ? value : seal(await this.#vault.provide(month), this.#context(key), value);
  }

  async range(prefix: string): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]> {
    const entries = await this.#store.range(prefix);
    return entries.flatMap(({ key, value }) => {
      const opened = this.#opened(key, value);
      return opened === undefined ? [] : [{ key, value: opened }];
    });
  }

  /**
   * Erases a month and all before it, here and in every backup: first the wrapping keys, then what they opened.
   * @returns how many entries were deleted.
   */
  async erase(month: number): Promise<number> {
    await this.#vault.erase(month);
    return this.sweep();
  }

  /** Deletes what nothing opens any more: also what a crash left of an erasure. @returns how many entries. */
  async sweep(): Promise<number> {
    const { erased } = this.#vault;
    const mark = utf8(String(erased));
    const swept = this.#store.get(SWEPT);
    if (erased === undefined || (swept !== undefined && equalBytes(swept, mark))) return 0;
    const dead: Change[] = [];
    for (const kind of Object.keys(MONTH_PART)) {
      for (const { key } of await this.#store.range(`${kind}/`)) {
        if (this.#vault.isErased(sealedMonth(key) as number)) dead.push({ key, value: undefined });
      }
    }
    await this.#store.write([...dead, { key: SWEPT, value: mark }]);
    return dead.length;
  }
}
