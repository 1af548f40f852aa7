import {
  BASIS,
  MASK_STATUS,
  VeilgridError,
  countedReadings,
  decodeLeaf,
  decodeReadingLeaf,
  epochCodec,
  equalBytes,
  maskCodec,
  sub,
  sum,
  toSigned,
  window,
  type LedgerView,
  type Mask,
  type Params,
  type Period,
  type PriceBasis,
  type ReadingLeaf,
  type ReadingsRecord,
} from "@veilgrid/protocol";
import type { CertifiedBlocks } from "../committed/blocks.js";

/** What the ledger says of a committed period, and so of its price. */
export interface Standing {
  /** CBH of the readings block. */
  readonly cbh: Uint8Array;
  readonly basis: PriceBasis;
  /** Regional sum in signed Wh; 0 unless measured. */
  readonly consumption: bigint;
  /** Unix milliseconds from which on a *late release* price is valid. */
  readonly lateFrom: number;
}

type Measured = Pick<Standing, "basis" | "consumption">;

const EMPTY: Measured = { basis: BASIS.empty, consumption: 0n };
const TOO_FEW: Measured = { basis: BASIS.tooFew, consumption: 0n };
/** Nothing is released yet; once it is late, this is the basis. */
const NOTHING: Measured = { basis: BASIS.lateRelease, consumption: 0n };

function measured(readings: readonly ReadingLeaf[], z: bigint): Measured {
  return { basis: BASIS.measured, consumption: toSigned(sub(sum(readings.map(({ rc }) => rc)), z)) };
}

function notOnLedger(what: string, region: number, { month, k }: Period): VeilgridError {
  return new VeilgridError("not-on-ledger", `the ledger names a ${what} that it does not hold`, {
    facts: { what, region, month, k },
    blame: "ledger",
  });
}

/** Reads regional sums off committed blocks whose votes it verifies: sum(rc) - Z over the counted readings. */
export class Standings {
  readonly #view: LedgerView;
  readonly #blocks: CertifiedBlocks;

  constructor(view: LedgerView, blocks: CertifiedBlocks) {
    this.#view = view;
    this.#blocks = blocks;
  }

  /** @returns undefined while the period has no readings block. */
  async of(region: number, period: Period): Promise<Standing | undefined> {
    const record = await this.#view.readings(region, period);
    const params = await this.#view.periodParams(region, period);
    if (record === undefined || params === undefined) return undefined;
    const lateFrom = window(period, params).closes + params.releaseSeconds * 1000;
    return { cbh: record.cbh, lateFrom, ...(await this.#measure(region, period, record, params)) };
  }

  async #measure(region: number, period: Period, record: ReadingsRecord, params: Params): Promise<Measured> {
    const block = await this.#blocks.block(region, record.number);
    if (block === undefined || !equalBytes(block.cbh, record.cbh)) throw notOnLedger("readings block", region, period);
    // *Empty*: a block without readings.
    if (block.leaves.length === 0) return EMPTY;
    const leaves = block.leaves.map(decodeReadingLeaf);
    const mask = await this.#mask(region, period, record.cbh);
    if (mask?.status === MASK_STATUS.tooFew) return TOO_FEW;
    if (mask !== undefined) return measured(countedReadings(leaves, mask.excluded), mask.z);
    // Upfront, "*measured* then means no fault and the epoch's Z, or a committed correction".
    if (params.release !== "upfront" || block.header.aggFault) return NOTHING;
    return this.#withoutFault(region, period, leaves, params);
  }

  /** The committed release of the period's block. */
  async #mask(region: number, period: Period, cbh: Uint8Array): Promise<Mask | undefined> {
    const record = await this.#view.mask(region, period);
    if (record === undefined) return undefined;
    const leaf = (await this.#blocks.block(0, record.number))?.leaves[record.index];
    if (leaf === undefined) throw notOnLedger("mask release", region, period);
    const mask = maskCodec.decode(decodeLeaf(leaf).body);
    if (mask.region === region && equalBytes(mask.cbh, cbh)) return mask;
    throw notOnLedger("mask release", region, period);
  }

  async #withoutFault(
    region: number,
    period: Period,
    leaves: readonly ReadingLeaf[],
    params: Params,
  ): Promise<Measured> {
    // A PRID that stands twice counts nowhere, while its mask is in the epoch's Z: then nothing is measured.
    if (countedReadings(leaves, []).length !== leaves.length) return NOTHING;
    const entry = (await this.#view.epochs(region, period.month)).findLast(({ k }) => k <= period.k);
    const leaf = entry && (await this.#blocks.block(region, entry.number))?.leaves[0];
    if (leaf === undefined) throw notOnLedger("epoch", region, period);
    const epoch = epochCodec(params).decode(decodeLeaf(leaf).body);
    const z = epoch.entries[period.k - epoch.first.k]?.z;
    if (z === undefined) throw notOnLedger("epoch's Z", region, period);
    return measured(leaves, z);
  }
}
