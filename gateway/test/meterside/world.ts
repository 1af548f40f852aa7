import { MonthKeys } from "@veilgrid/meter-client";
import {
  BloomFilter,
  KIND,
  compareBytes,
  epochCodec,
  merkleRoot,
  monthStart,
  periodRange,
  pridOf,
  readingCodec,
  READING_BYTES,
  setCommitment,
  sha256,
  toHex,
  utf8,
  type Period,
} from "@veilgrid/protocol";
import type { FleetMeter } from "../../src/meterside/fleet-file.js";
import type { Households } from "../../src/meterside/households.js";
import type { Transport } from "../../src/ports/transport.js";
import { encodeKeepLists, encodeTransaction } from "../../src/transport/envelopes.js";
import { FIRST, Grid, type GridOptions } from "../da/grid.js";

/** When FIRST begins. */
export const BEGIN = monthStart(FIRST.month) + FIRST.k * 1_800_000;
export const HALF_HOUR = 1_800_000;

/** The period `count` after FIRST. */
export function after(count: number): Period {
  return { month: FIRST.month, k: FIRST.k + count };
}

/** Meters of one region with their keys. */
export function metersOf(count: number): FleetMeter[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ name: `M${i}`, household: i, region: 1, month: FIRST.month },
    key: sha256(utf8(`key of meter ${i}`)),
  }));
}

/** Household i uses 100·i + k Wh in period k; meter 3 feeds in. */
export const HOUSEHOLDS: Households = {
  names: undefined,
  consumption: (household, { k }) => BigInt(100 * household + k) * (household === 3 ? -1n : 1n),
};

/** Real aggregators with a committed epoch of these meters' PRIDs, and every reading that was sent to them. */
export class MetersideWorld extends Grid {
  /** The bytes of each PRID's readings, in hex: more than one of a PRID was two different readings. */
  readonly seen = new Map<string, Set<string>>();
  /** Requests for readings, by aggregator. */
  readonly requests: { readonly to: string; readonly at: number; readonly prid: string }[] = [];

  static async of(meters: readonly FleetMeter[], periods: number, options: GridOptions = {}): Promise<MetersideWorld> {
    const world = new MetersideWorld(options);
    await world.start();
    await world.#commit(meters, periods);
    await world.run(BEGIN);
    return world;
  }

  async #commit(meters: readonly FleetMeter[], periods: number): Promise<void> {
    const { params } = this;
    const all = [...periodRange(FIRST, periods, params.periodSeconds)];
    const keys = meters.map(({ month, key }) => new MonthKeys(this.consortium, { month, key }));
    const lists = all.map((period) =>
      keys
        .flatMap((each) => {
          const { t, t2 } = each.leavesAt(period);
          return [pridOf(t), pridOf(t2)];
        })
        .sort(compareBytes),
    );
    const shape = { bitsPerElement: params.bitsPerElement, indices: params.indices };
    const entries = all.map((period, i) => {
      const prids = lists[i] as Uint8Array[];
      const { bits } = BloomFilter.of("veilgrid/1/bf1", prids, prids.length, shape);
      return { bf1: bits, set: setCommitment(1, period, prids) };
    });
    const head = { region: 1, first: FIRST, periods, params: params.version, meters: meters.length, leaves: 0 };
    const leaf = this.issued("epoch", epochCodec(params), { ...head, seedRoot: merkleRoot([]), entries });
    this.all("transaction", encodeTransaction({ kind: KIND.epoch, leaf }));
    await this.seconds(1);
    this.all("lists", encodeKeepLists({ region: 1, first: FIRST, lists }));
    await this.until(async () => (await this.view.epochAt(1, FIRST)) !== undefined, 120);
  }

  /** A way to the aggregators, tapped. */
  tapped(from: string): Transport {
    const transport = this.network.transport(from);
    return {
      request: (to, method, request, onResponse) => {
        if (method === "reading") this.#see(to, request);
        transport.request(to, method, request, onResponse);
      },
    };
  }

  #see(to: string, request: Uint8Array): void {
    const prid = toHex(readingCodec.decode(request.subarray(0, READING_BYTES)).prid);
    this.requests.push({ to, at: this.clock.now(), prid });
    this.seen.set(prid, (this.seen.get(prid) ?? new Set()).add(toHex(request)));
  }

  /** How many PRIDs were ever sent with other bytes than before. */
  get contradictions(): number {
    return [...this.seen.values()].filter(({ size }) => size > 1).length;
  }

  /** Distinct PRIDs in a period's block, once it is there. */
  async committed(period: Period): Promise<number> {
    await this.until(async () => (await this.view.readings(1, period)) !== undefined, 900);
    return (await this.view.readings(1, period))?.count ?? 0;
  }
}
