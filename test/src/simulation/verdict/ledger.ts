import {
  BASIS,
  MASK_STATUS,
  decodeReadingLeaf,
  equalBytes,
  readingLeaf,
  roundHalfAway,
  sum,
  toHex,
  type LedgerView,
  type Mask,
  type Period,
  type Price,
} from "@veilgrid/protocol";
import type { Consortium } from "../consortium.js";
import type { Receipted } from "../witness/receipts.js";
import type { Accuse } from "../witness/violation.js";
import type { TrueReading, Truth } from "./truth.js";

/** A region's committed period. */
interface Committed {
  readonly region: number;
  readonly period: Period;
  readonly leaves: readonly Uint8Array[];
  readonly readings: readonly TrueReading[];
}

/** What must be true of the ledger in the end, looked at with all the keys that nobody has together. */
export class LedgerVerdict {
  readonly #accuse: Accuse;
  readonly #consortium: Consortium;
  readonly #view: LedgerView;
  readonly #truth: Truth;

  constructor(
    accuse: Accuse,
    modules: { readonly consortium: Consortium; readonly view: LedgerView; readonly truth: Truth },
  ) {
    this.#accuse = accuse;
    this.#consortium = modules.consortium;
    this.#view = modules.view;
    this.#truth = modules.truth;
  }

  /** Looks at every period of every region. @param signed all releases that KGCBP signed, committed or not. */
  async judge(receipted: readonly Receipted[], signed: readonly Mask[]): Promise<void> {
    for (let region = 1; region <= this.#consortium.scenario.regions; region += 1) {
      for (const [n, period] of this.#consortium.periods.entries()) {
        const committed = await this.#committed(region, period);
        if (committed === undefined) continue;
        this.#judgeLeaves(committed, n);
        this.#judgeReceipts(committed, receipted);
        await this.#judgeSums(committed, signed);
      }
    }
  }

  async #committed(region: number, period: Period): Promise<Committed | undefined> {
    const record = await this.#view.readings(region, period);
    const found = record && (await this.#view.block(region, record.number));
    if (found === undefined) return undefined;
    const { leaves } = found.block;
    return { region, period, leaves, readings: this.#truth.read(region, period, leaves.map(decodeReadingLeaf)) };
  }

  /** Each reading once, at most two of a PRID, none that is not listed; and what an honest meter said is what it measured. */
  #judgeLeaves({ region, period, leaves, readings }: Committed, n: number): void {
    const place = `region ${region}, ${period.k}`;
    if (new Set(leaves.map(toHex)).size < leaves.length)
      this.#accuse("once-on-the-ledger", `${place} has a reading twice`);
    const listed = this.#truth.prids(region, period);
    const strangers = leaves.filter((leaf) => !listed.has(toHex(leaf.subarray(0, 32))));
    if (strangers.length > 0) this.#accuse("listed-prids", `${place} has ${strangers.length} readings of nobody`);
    for (const { home, consumption } of readings) {
      const measured = home.consumption[n];
      if (consumption !== undefined && !home.isDoubleTongued && consumption !== measured) {
        this.#accuse(
          "true-readings",
          `${place}: ${home.name} measured ${measured ?? "nothing"} and is read as ${consumption}`,
        );
      }
    }
  }

  /** "A receipted reading (or two others of its PRID) is on the ledger" */
  #judgeReceipts({ region, period, leaves }: Committed, receipted: readonly Receipted[]): void {
    const here = receipted.filter((one) => one.region === region && one.month === period.month && one.k === period.k);
    for (const { reading } of here) {
      const own = readingLeaf(reading);
      if (leaves.some((leaf) => equalBytes(leaf, own))) continue;
      const others = leaves.filter((leaf) => equalBytes(leaf.subarray(0, 32), own.subarray(0, 32)));
      if (others.length < 2)
        this.#accuse("receipted-on-ledger", `region ${region}, ${period.k} lacks a receipted reading`);
    }
  }

  async #judgeSums({ region, period, leaves, readings }: Committed, signed: readonly Mask[]): Promise<void> {
    const complete = readings.filter(({ consumption }) => consumption !== undefined);
    const mask = await this.#view.maskBody(region, period);
    const price = await this.#view.price(region, period);
    const place = `region ${region}, ${period.k}`;
    const total = complete.reduce((all, { consumption }) => all + (consumption ?? 0n), 0n);
    if (mask === undefined && leaves.length > 0) this.#accuse("released", `${place} has no release`);
    const own = signed.filter((one) => one.region === region && one.period.k === period.k);
    for (const one of mask === undefined ? own : [...own, mask]) this.#judgeMask(one, complete, place);
    if (price !== undefined) this.#judgePrice(price, mask, total, place);
  }

  /** "for too few nothing is released", else exactly the mask sum of the complete meters. */
  #judgeMask({ status, z }: Mask, complete: readonly TrueReading[], place: string): void {
    const isReleased = status === MASK_STATUS.released;
    const isEnough = complete.length >= this.#consortium.params.minReleaseMeters;
    if (isReleased && !isEnough) this.#accuse("release-minimum", `${place} releases ${complete.length} meters`);
    if (!isReleased && isEnough)
      this.#accuse("released", `${place} is not released, though enough meters are complete`);
    const due = isReleased ? sum(complete.map(({ keys }) => keys.mask)) : 0n;
    if (z !== due) this.#accuse("exact-sum", `${place}: Z is not the mask sum of the complete meters`);
  }

  #judgePrice({ basis, consumption, price }: Price, mask: Mask | undefined, total: bigint, place: string): void {
    const isMeasured = basis === BASIS.measured;
    if (isMeasured && mask?.status !== MASK_STATUS.released)
      this.#accuse("exact-price", `${place} is measured by nothing`);
    if (consumption !== (isMeasured ? total : 0n))
      this.#accuse("exact-sum", `${place}: ${consumption} Wh is not the sum ${total}`);
    const due = 200_000n + roundHalfAway(3n * consumption, 1000n);
    if (price !== due) this.#accuse("exact-price", `${place} costs ${price}, not ${due}`);
  }
}
