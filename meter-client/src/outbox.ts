import { Reader, SIGNED_READING_BYTES, Writer, type Period } from "@veilgrid/protocol";
import type { Half } from "./halves.js";
import type { StoredChain } from "./keychains.js";
import type { MeterChange, MeterStore } from "./ports.js";

/** A half's receipt together with the signed reading that it is for: what `receipt check` needs. */
export interface Proof {
  /** Reading ‖ sig, 113 bytes. */
  readonly reading: Uint8Array;
  /** Q acks with paths. */
  readonly receipt: Uint8Array;
}

/** A DA's signed refusal, which KGCBP looks at before it penalises a meter. */
export interface Refusal {
  readonly half: Half;
  /** Index of the DA. */
  readonly da: number;
  /** Answer ‖ sig. */
  readonly answer: Uint8Array;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

function slotOf({ month, k }: Period): string {
  return `${digits(month, 6)}/${digits(k, 4)}`;
}

/** What a meter keeps of its keys: one entry, so that a delivery is taken whole or not at all. */
export interface KeptKeys {
  /** The first month whose last window was not over when the meter looked last. */
  readonly month: number;
  /** The newest delivery that it took: its serial number, and SHA-256 of its body; 0 and zeros before the first. */
  readonly serial: number;
  readonly digest: Uint8Array;
  /** Ascending by `first`. */
  readonly chains: readonly StoredChain[];
}

function encodeKeys({ month, serial, digest, chains }: KeptKeys): Uint8Array {
  const to = new Writer().u32(month).u32(serial).fixed(digest, 32);
  for (const { region, first, oldest } of chains) {
    to.u16(region).u32(first.month).u16(first.k).u32(oldest.month).fixed(oldest.key, 32);
  }
  return to.bytes();
}

function decodeKeys(bytes: Uint8Array): KeptKeys {
  const from = new Reader(bytes, "stored keys");
  const head = { month: from.u32(), serial: from.u32(), digest: from.fixed(32) };
  const chains: StoredChain[] = [];
  while (from.left > 0) {
    const [region, first] = [from.u16(), { month: from.u32(), k: from.u16() }];
    chains.push({ region, first, oldest: { month: from.u32(), key: from.fixed(32) } });
  }
  from.end();
  return { ...head, chains };
}

/**
 * What a meter keeps on disk: its keys, the consumption of each period from before its first sending, and the
 * receipts and signed refusals that came back. The signed readings themselves follow from key, period and consumption.
 */
export class Outbox {
  readonly #store: MeterStore;
  readonly #name: string;

  /** @param name of the meter, unique in the store; all keys begin with it. */
  constructor(store: MeterStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  async write(changes: readonly MeterChange[]): Promise<void> {
    if (changes.length > 0) await this.#store.write(changes);
  }

  /** The meter's keys; undefined before its first start. */
  get keys(): KeptKeys | undefined {
    const bytes = this.#store.get(this.#at("keys"));
    return bytes === undefined ? undefined : decodeKeys(bytes);
  }

  keysChange(keys: KeptKeys): MeterChange {
    return { key: this.#at("keys"), value: encodeKeys(keys) };
  }

  /** The period's consumption in Wh, if it was recorded. */
  consumption(period: Period): bigint | undefined {
    const bytes = this.#store.get(this.#at("log", slotOf(period)));
    return bytes === undefined ? undefined : new Reader(bytes, "stored consumption").i64();
  }

  consumptionChange(period: Period, consumption: bigint): MeterChange {
    return { key: this.#at("log", slotOf(period)), value: new Writer().i64(consumption).bytes() };
  }

  proof(period: Period, half: Half): Proof | undefined {
    const bytes = this.#store.get(this.#at("proof", slotOf(period), half));
    if (bytes === undefined) return undefined;
    return { reading: bytes.slice(0, SIGNED_READING_BYTES), receipt: bytes.slice(SIGNED_READING_BYTES) };
  }

  proofChange(period: Period, half: Half, { reading, receipt }: Proof): MeterChange {
    const value = new Writer().fixed(reading, SIGNED_READING_BYTES).raw(receipt).bytes();
    return { key: this.#at("proof", slotOf(period), half), value };
  }

  /** Signed refusals of a period, by half and DA. */
  async refusals(period: Period): Promise<Refusal[]> {
    const prefix = `${this.#at("refusal", slotOf(period))}/`;
    return (await this.#store.range(prefix)).map(({ key, value }) => {
      const [half, da] = key.slice(prefix.length).split("/").map(Number) as [Half, number];
      return { half, da, answer: value };
    });
  }

  refusalChange(period: Period, { half, da, answer }: Refusal): MeterChange {
    return { key: this.#at("refusal", slotOf(period), half, da), value: answer };
  }

  /** Deletions of all that is kept of a month but the key. */
  async deletions(month: number): Promise<MeterChange[]> {
    const changes: MeterChange[] = [];
    for (const what of ["log", "proof", "refusal"]) {
      for (const { key } of await this.#store.range(`${this.#at(what, digits(month, 6))}/`)) {
        changes.push({ key, value: undefined });
      }
    }
    return changes;
  }

  #at(...parts: readonly (string | number)[]): string {
    return [this.#name, ...parts].join("/");
  }
}
