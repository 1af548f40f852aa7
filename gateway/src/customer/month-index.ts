import {
  KIND,
  billsCodec,
  decodeLeaf,
  maskCodec,
  monthStart,
  priceCodec,
  toHex,
  verdictCodec,
  type BillEntry,
  type LedgerView,
  type Mask,
  type Period,
  type Price,
  type Verdict,
} from "@veilgrid/protocol";
import type { CertifiedBlock, CertifiedBlocks } from "../committed/blocks.js";

function slot(region: number, { k }: Period): string {
  return `${region}/${k}`;
}

/**
 * What chain 0 says of one month: prices, mask releases, verdicts and bills, read off its blocks with their votes verified. The
 * ledger's state names the same by key, but a customer takes no peer's word for it.
 */
export class MonthIndex {
  readonly #month: number;
  readonly #view: LedgerView;
  readonly #blocks: CertifiedBlocks;
  readonly #prices = new Map<string, Price>();
  readonly #masks = new Map<string, Mask>();
  /** By region, period and ref (hex). */
  readonly #verdicts = new Map<string, Verdict>();
  /** By BID (hex): the newest revision. */
  readonly #bills = new Map<string, BillEntry>();
  /** The next block of chain 0 to read; undefined before the first reading. */
  #next: bigint | undefined;

  /** @param month 12*year + (month-1). */
  constructor(month: number, modules: { readonly view: LedgerView; readonly blocks: CertifiedBlocks }) {
    this.#month = month;
    this.#view = modules.view;
    this.#blocks = modules.blocks;
  }

  /** Reads what chain 0 has grown by since the last time. @throws VeilgridError `uncertified-block`, … */
  async update(): Promise<void> {
    const { number: head } = await this.#view.head(0);
    let next = this.#next ?? (await this.#firstBlock(head));
    for (; next <= head; next += 1n) {
      const block = await this.#blocks.block(0, next);
      if (block !== undefined) this.#take(block);
    }
    this.#next = next;
  }

  /** The first block of chain 0 whose TS lies in the month or after it; times ascend along a chain. */
  async #firstBlock(head: bigint): Promise<bigint> {
    const start = BigInt(monthStart(this.#month));
    let [low, high] = [1n, head + 1n];
    while (low < high) {
      const middle = (low + high) / 2n;
      const found = await this.#view.header(0, middle);
      if (found !== undefined && found.header.ts < start) low = middle + 1n;
      else high = middle;
    }
    return low;
  }

  #take({ header, leaves }: CertifiedBlock): void {
    const bodies = leaves.map((leaf) => decodeLeaf(leaf).body);
    if (header.kind === KIND.prices)
      this.#takeEach(
        bodies.map((body) => priceCodec.decode(body)),
        this.#prices,
      );
    if (header.kind === KIND.masks)
      this.#takeEach(
        bodies.map((body) => maskCodec.decode(body)),
        this.#masks,
      );
    if (header.kind === KIND.verdicts) this.#takeVerdicts(bodies.map((body) => verdictCodec.decode(body)));
    if (header.kind !== KIND.bills) return;
    for (const { month, entries } of bodies.map((body) => billsCodec.decode(body))) {
      if (month !== this.#month) continue;
      for (const entry of entries) this.#bills.set(toHex(entry.bid), entry);
    }
  }

  #takeEach<T extends { readonly region: number; readonly period: Period }>(all: T[], into: Map<string, T>): void {
    for (const one of all) if (one.period.month === this.#month) into.set(slot(one.region, one.period), one);
  }

  #takeVerdicts(all: readonly Verdict[]): void {
    for (const one of all) {
      if (one.period.month === this.#month)
        this.#verdicts.set(`${slot(one.region, one.period)}/${toHex(one.ref)}`, one);
    }
  }

  /** The verdict with a ref of 32 bytes on a region's period. */
  verdict(region: number, period: Period, ref: Uint8Array): Verdict | undefined {
    return this.#verdicts.get(`${slot(region, period)}/${toHex(ref)}`);
  }

  price(region: number, period: Period): Price | undefined {
    return this.#prices.get(slot(region, period));
  }

  mask(region: number, period: Period): Mask | undefined {
    return this.#masks.get(slot(region, period));
  }

  /** The newest revision of a customer's bill. @param bid 16 bytes. */
  bill(bid: Uint8Array): BillEntry | undefined {
    return this.#bills.get(toHex(bid));
  }
}
