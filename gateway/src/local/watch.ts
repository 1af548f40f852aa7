import {
  billsCodec,
  decodeLeaf,
  equalBytes,
  headerCodec,
  KIND,
  LedgerView,
  maskCodec,
  priceCodec,
  window,
  type Header,
  type Params,
} from "@veilgrid/protocol";
import type { PeerLedger } from "../ports/ledger.js";

/** A committed readings block, as who watches is told. */
export interface SeenBlock {
  readonly region: number;
  readonly k: number;
  readonly readings: number;
  readonly round: number;
  readonly isFaulty: boolean;
  /** Milliseconds of the consortium's time from the period's freezing to the block's time stamp. */
  readonly latency: number;
}

/** Where a region is. */
export interface RegionStanding {
  readonly region: number;
  /** Periods that epochs cover. */
  readonly covered: number;
  /** Periods with a readings block, a released sum or none due, and a price. */
  readonly committed: number;
  readonly released: number;
  readonly priced: number;
  /** Readings that its blocks lack: two for each meter and period. */
  readonly missing: number;
  readonly last: SeenBlock | undefined;
}

/** What the ledger shows. */
export interface Standing {
  readonly height: bigint;
  readonly term: bigint;
  /** MSP id of the leader. */
  readonly leader: string | undefined;
  readonly bills: number;
  readonly regions: readonly RegionStanding[];
}

interface RegionCounts {
  covered: number;
  committed: number;
  released: number;
  priced: number;
  missing: number;
  last: SeenBlock | undefined;
}

/** How many meters a region has. */
export type MetersOf = (region: number) => number;

/** Counts what happens on a ledger, block by block, from its beginning. */
export class LedgerWatch {
  readonly #ledger: PeerLedger;
  readonly #metersOf: MetersOf;
  readonly #onBlock: (block: SeenBlock) => void;
  readonly #regions = new Map<number, RegionCounts>();
  readonly view: LedgerView;
  #next = 0n;
  #bills = 0;

  constructor(ledger: PeerLedger, metersOf: MetersOf, onBlock: (block: SeenBlock) => void) {
    this.#ledger = ledger;
    this.#metersOf = metersOf;
    this.#onBlock = onBlock;
    this.view = new LedgerView(ledger.state);
  }

  /** Takes in what is new. */
  async look(): Promise<Standing> {
    const height = await this.#ledger.height();
    if (height > this.#next) {
      for await (const { name, payload, blockNumber } of this.#ledger.events(this.#next)) {
        if (name === "block" && blockNumber < height) await this.#take(headerCodec.decode(payload));
      }
      this.#next = height;
    }
    const { term, leader } = await this.view.term();
    const params = await this.view.currentParams();
    return {
      height,
      term,
      leader: leader && params.da.find(({ key }) => equalBytes(key, leader))?.msp,
      bills: this.#bills,
      regions: [...this.#regions].sort(([a], [b]) => a - b).map(([region, counts]) => ({ region, ...counts })),
    };
  }

  #region(region: number): RegionCounts {
    const counts = this.#regions.get(region) ?? {
      covered: 0,
      committed: 0,
      released: 0,
      priced: 0,
      missing: 0,
      last: undefined,
    };
    this.#regions.set(region, counts);
    return counts;
  }

  async #take(header: Header): Promise<void> {
    switch (header.kind) {
      case KIND.epoch:
        return this.#epoch(header);
      case KIND.readings:
        this.#readings(header, await this.view.params(header.params));
        return;
      case KIND.masks:
      case KIND.prices:
        return this.#counted(header);
      case KIND.bills:
        return this.#billed(header);
    }
  }

  async #epoch({ region, period }: Header): Promise<void> {
    const entry = (await this.view.epochs(region, period.month)).find(({ k }) => k === period.k);
    this.#region(region).covered += entry?.periods ?? 0;
  }

  #readings({ region, period, count, round, aggFault, ts }: Header, params: Params): void {
    const counts = this.#region(region);
    const latency = Number(ts) - window(period, params).freezes;
    counts.committed += 1;
    counts.missing += Math.max(0, 2 * this.#metersOf(region) - count);
    counts.last = { region, k: period.k, readings: count, round, isFaulty: aggFault, latency };
    this.#onBlock(counts.last);
  }

  /** A transaction of bills has up to a thousand. */
  async #billed({ number }: Header): Promise<void> {
    const block = await this.view.block(0, number);
    for (const leaf of block?.block.leaves ?? [])
      this.#bills += billsCodec.decode(decodeLeaf(leaf).body).entries.length;
  }

  /** Releases and prices name their regions in their leaves. */
  async #counted({ kind, number }: Header): Promise<void> {
    const block = await this.view.block(0, number);
    for (const leaf of block?.block.leaves ?? []) {
      const { body } = decodeLeaf(leaf);
      if (kind === KIND.masks) this.#region(maskCodec.decode(body).region).released += 1;
      else this.#region(priceCodec.decode(body).region).priced += 1;
    }
  }
}
