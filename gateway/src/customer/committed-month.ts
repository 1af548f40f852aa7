import {
  BloomFilter,
  KIND,
  MASK_STATUS,
  VeilgridError,
  decodeLeaf,
  epochCodec,
  epochHead,
  samePeriod,
  toHex,
  type BillEntry,
  type BillLedger,
  type Epoch,
  type EpochFacts,
  type EpochRecord as LedgerEpoch,
  type LedgerView,
  type Mask,
  type Params,
  type Period,
  type PeriodFacts,
  type Verdict,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { CertifiedBlocks, type CertifiedBlock } from "../committed/blocks.js";
import { BlockReadings } from "./block-readings.js";
import { MonthIndex } from "./month-index.js";

/** What a period's facts are made from, kept between customers. */
interface KeptPeriod {
  readonly readings: BlockReadings;
  readonly filter: BloomFilter;
  readonly bytes: number;
  readonly facts: Pick<PeriodFacts, "maxWhPerPeriod">;
}

/** A decoded epoch block. */
interface CommittedEpoch {
  readonly number: bigint;
  readonly epoch: Epoch;
  readonly params: Params;
}

/** How much of the ledger is kept in memory between the customers of one process. */
export interface CommittedMonthOptions {
  /** Bytes; a month of 50 meters takes 7 MB. Beyond it the periods that were used longest ago are read again. */
  readonly keptBytes: number;
}

export const KEPT: CommittedMonthOptions = { keptBytes: 128 * 1_048_576 };

/** The ledger's months, each opened when it is asked for, and once. */
export function committedMonths(
  modules: { readonly view: LedgerView; readonly memory?: VerifiedSignatures },
  options: CommittedMonthOptions = KEPT,
): (month: number) => Promise<CommittedMonth> {
  const opened = new Map<number, Promise<CommittedMonth>>();
  return (month) => {
    const known = opened.get(month) ?? CommittedMonth.open(month, modules, options);
    opened.set(month, known);
    return known;
  };
}

/**
 * One month of the ledger as a bill's verification asks for it. Whole blocks are read, so that no peer learns whose bill
 * it is, and each block that is relied on has its votes and its Merkle root verified; many customers share one of these,
 * and so the work.
 */
export class CommittedMonth implements BillLedger {
  readonly consortium: Uint8Array;
  readonly month: number;
  /** 900 or 1800. */
  readonly periodSeconds: number;
  readonly #options: CommittedMonthOptions;
  readonly #view: LedgerView;
  readonly #blocks: CertifiedBlocks;
  readonly #index: MonthIndex;
  readonly #periods = new Map<string, KeptPeriod>();
  #keptBytes = 0;
  /** The last one of each region: periods are asked for in their order. */
  readonly #epochs = new Map<number, CommittedEpoch>();

  private constructor(
    { month, consortium, periodSeconds }: Pick<CommittedMonth, "month" | "consortium" | "periodSeconds">,
    modules: { readonly view: LedgerView; readonly blocks: CertifiedBlocks },
    options: CommittedMonthOptions,
  ) {
    this.month = month;
    this.consortium = consortium;
    this.periodSeconds = periodSeconds;
    this.#view = modules.view;
    this.#blocks = modules.blocks;
    this.#index = new MonthIndex(month, modules);
    this.#options = options;
  }

  /**
   * @param month 12*year + (month-1).
   * @param modules a peer's ledger or an exported file's, and where verified votes are remembered.
   */
  static async open(
    month: number,
    modules: { readonly view: LedgerView; readonly memory?: VerifiedSignatures },
    options: CommittedMonthOptions = KEPT,
  ): Promise<CommittedMonth> {
    const blocks = new CertifiedBlocks(modules);
    const consortium = await blocks.consortium();
    // "`periodSeconds` never changes."
    const { periodSeconds } = await blocks.params(1);
    const of = { month, consortium, periodSeconds };
    const committed = new CommittedMonth(of, { view: modules.view, blocks }, options);
    await committed.update();
    return committed;
  }

  /** Reads what the ledger has grown by. */
  async update(): Promise<void> {
    await this.#index.update();
  }

  /** The newest revision of a customer's bill of the month. @param bid 16 bytes. */
  bill(bid: Uint8Array): BillEntry | undefined {
    return this.#index.bill(bid);
  }

  async epoch(region: number, number: bigint): Promise<EpochFacts | undefined> {
    const block = await this.#blocks.block(region, number);
    const leaf = block?.header.kind === KIND.epoch ? block.leaves[0] : undefined;
    return leaf && epochHead(decodeLeaf(leaf).body);
  }

  verdict(region: number, period: Period, ref: Uint8Array): Promise<Verdict | undefined> {
    return Promise.resolve(this.#index.verdict(region, period, ref));
  }

  price(region: number, period: Period): Promise<bigint | undefined> {
    return Promise.resolve(this.#index.price(region, period)?.price);
  }

  async period(region: number, period: Period): Promise<PeriodFacts | undefined> {
    const kept = await this.#kept(region, period);
    if (kept === undefined) return undefined;
    const mask = this.#index.mask(region, period);
    return {
      ...kept.facts,
      price: this.#index.price(region, period)?.price,
      readings: (prid) => kept.readings.under(prid),
      pridListed: (prid) => kept.filter.has(prid),
      ...(mask?.status === MASK_STATUS.released && { excluded: excludedBy(mask) }),
    };
  }

  async #kept(region: number, period: Period): Promise<KeptPeriod | undefined> {
    const name = `${region}/${period.month}/${period.k}`;
    const known = this.#periods.get(name);
    // Taken out and put in again, so that the order is that of use.
    if (known !== undefined) this.#periods.delete(name);
    const kept = known ?? (await this.#read(region, period));
    if (kept === undefined) return undefined;
    this.#periods.set(name, kept);
    if (known === undefined) this.#makeRoom(kept.bytes);
    return kept;
  }

  #makeRoom(bytes: number): void {
    this.#keptBytes += bytes;
    for (const [name, oldest] of this.#periods) {
      if (this.#keptBytes <= this.#options.keptBytes) break;
      this.#periods.delete(name);
      this.#keptBytes -= oldest.bytes;
    }
  }

  async #read(region: number, period: Period): Promise<KeptPeriod | undefined> {
    const covering = await this.#covering(region, period);
    if (covering === undefined) return undefined;
    const { epoch, params } = covering;
    const bf1 = epoch.entries[period.k - epoch.first.k]?.bf1;
    if (bf1 === undefined) throw contradiction("epoch", region, period);
    const readings = new BlockReadings(await this.#leaves(region, period, params.version));
    return {
      readings,
      filter: new BloomFilter(bf1, "veilgrid/1/bf1", params.indices),
      bytes: readings.bytes + bf1.length,
      facts: { maxWhPerPeriod: BigInt(params.maxWhPerPeriod) },
    };
  }

  /** The committed epoch that covers the period. */
  async #covering(region: number, { month, k }: Period): Promise<CommittedEpoch | undefined> {
    const entries = await this.#view.epochs(region, month);
    const entry = entries.find((one) => one.k <= k && k < one.k + one.periods);
    if (entry === undefined) return undefined;
    const known = this.#epochs.get(region);
    if (known?.number === entry.number) return known;
    const read = await this.#readEpoch(region, { month, k }, entry);
    this.#epochs.set(region, read);
    return read;
  }

  async #readEpoch(region: number, period: Period, { number, k, periods }: LedgerEpoch): Promise<CommittedEpoch> {
    const block = await this.#blocks.block(region, number);
    if (block?.header.kind !== KIND.epoch) throw contradiction("epoch", region, period);
    const epoch = await this.#decode(block);
    const same = samePeriod(epoch.first, { month: period.month, k }) && epoch.periods === periods;
    if (!same) throw contradiction("epoch", region, period);
    return { number, epoch, params: await this.#blocks.params(epoch.params) };
  }

  async #decode({ header, leaves }: CertifiedBlock): Promise<Epoch> {
    const params = await this.#blocks.params(header.params);
    return epochCodec(params).decode(decodeLeaf(leaves[0] as Uint8Array).body);
  }

  /**
   * The leaves of the period's readings block; none while there is none. Votes stay under the epoch's version to the end:
   * those of another, whose keys may be in any hands, count for nothing.
   */
  async #leaves(region: number, period: Period, version: number): Promise<readonly Uint8Array[]> {
    const record = await this.#view.readings(region, period);
    if (record === undefined) return [];
    const block = await this.#blocks.block(region, record.number);
    const { header } = block ?? {};
    const fits = header?.kind === KIND.readings && samePeriod(header.period, period) && header.params === version;
    if (block === undefined || !fits) throw contradiction("readings block", region, period);
    return block.leaves;
  }
}

function excludedBy({ excluded }: Mask): (prid: Uint8Array) => boolean {
  const names = new Set(excluded.map(toHex));
  return (prid) => names.has(toHex(prid));
}

function contradiction(what: string, region: number, { month, k }: Period): VeilgridError {
  return new VeilgridError("not-on-ledger", `the ledger's ${what} of a period is not where its state says`, {
    facts: { what, region, month, k },
    blame: "ledger",
  });
}
