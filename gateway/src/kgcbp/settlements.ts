import {
  KIND,
  VeilgridError,
  decodeReadingLeaf,
  type EpochRecord as LedgerEpoch,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { CertifiedBlock } from "../committed/blocks.js";
import type { Desk } from "./desk.js";
import type { EpochBook } from "./epoch-book.js";
import type { EpochKeys } from "./epoch-keys.js";
import type { EpochRecord } from "./epoch-record.js";
import { slotName } from "./names.js";
import type { ReadingsBlock } from "./release.js";
import { decodeSettlement, encodeSettlement } from "./settlement.js";
import { tally, type Outcome } from "./tally.js";

/** A committed period, with everything that KGCBP knows of it. */
export interface SettledPeriod {
  readonly block: ReadingsBlock;
  readonly keys: EpochKeys;
  readonly params: Params;
  /** In the order of the epoch's members. */
  readonly outcomes: readonly Outcome[];
}

function missing(what: string, region: number, { month, k }: Period): VeilgridError {
  return new VeilgridError("not-on-ledger", `a committed period's ${what} is not on the ledger any more`, {
    facts: { region, month, k, what },
    blame: "ledger",
  });
}

/** What became of each meter in each committed period. */
export class Settlements {
  readonly #desk: Desk;
  readonly #book: EpochBook;

  constructor(desk: Desk, book: EpochBook) {
    this.#desk = desk;
    this.#book = book;
  }

  /** The change of the store that keeps a period's settlement. */
  keep(region: number, period: Period, outcomes: readonly Outcome[]): { key: string; value: Uint8Array } {
    return { key: `settled/${slotName(region, period)}`, value: encodeSettlement(outcomes) };
  }

  /** The kept settlement of a period. */
  find(region: number, period: Period): Outcome[] | undefined {
    const bytes = this.#desk.store.get(`settled/${slotName(region, period)}`);
    return bytes === undefined ? undefined : decodeSettlement(bytes);
  }

  /** The settlement of a committed period: the kept one, or made again from the ledger and the month keys. */
  async of(region: number, period: Period): Promise<readonly Outcome[]> {
    return this.find(region, period) ?? (await this.settle(region, period)).outcomes;
  }

  /** The epoch's entry on the ledger that covers a period. */
  async entry(region: number, { month, k }: Period): Promise<LedgerEpoch> {
    const entries = await this.#desk.view.epochs(region, month);
    const entry = entries.find((one) => one.k <= k && k < one.k + one.periods);
    if (entry === undefined) throw missing("epoch", region, { month, k });
    return entry;
  }

  /** Compares a committed block with the exact list of its period. @throws VeilgridError `not-on-ledger`. */
  async settle(region: number, period: Period): Promise<SettledPeriod> {
    const record = await this.#book.committed(region, period.month, await this.entry(region, period));
    return this.#settle(record, period, await this.#readings(region, period));
  }

  async #settle(record: EpochRecord, period: Period, block: ReadingsBlock): Promise<SettledPeriod> {
    const keys = await this.#book.keys(record);
    const params = await this.#desk.blocks.params(record.params);
    const outcomes = tally(keys, keys.offsetOf(period), block.leaves, params.maxWhPerPeriod);
    return { block, keys, params, outcomes };
  }

  async #readings(region: number, period: Period): Promise<ReadingsBlock> {
    const record = await this.#desk.view.readings(region, period);
    const block = record && (await this.#desk.blocks.block(region, record.number));
    if (block === undefined) throw missing("readings block", region, period);
    return readingsBlock(block);
  }
}

function readingsBlock({ header, cbh, leaves }: CertifiedBlock): ReadingsBlock {
  const { region, period, aggFault, kind, number } = header;
  if (kind === KIND.readings) return { region, period, cbh, aggFault, leaves: leaves.map(decodeReadingLeaf) };
  throw new VeilgridError("uncertified-block", "a committed block is not of the kind that the ledger says", {
    facts: { region, number: number.toString(), kind },
    blame: "ledger",
  });
}
