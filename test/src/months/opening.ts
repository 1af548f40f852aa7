import {
  addPeriods,
  decodeReadingLeaf,
  deriveSeeds,
  fromHex,
  leaf,
  pridOf,
  ratchet,
  samePeriod,
  toHex,
  unmask,
  type BillReport,
  type Period,
} from "@veilgrid/protocol";
import type { Run, World } from "@veilgrid/gateway";
import type { Story } from "./story.js";
import type { Customer } from "./truth.js";

/** Keys as somebody has them: the masked halves' secrets come from the first two, the masks from the others. */
type Keys = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

/** Readings of the ledger in some periods, by PRID in hex. */
export class Blocks {
  readonly #halves = new Map<string, { readonly period: Period; readonly rc: bigint }>();

  /** Everything that all regions' blocks of these periods have. */
  static async read({ view }: World, periods: readonly Period[]): Promise<Blocks> {
    const blocks = new Blocks();
    for (const region of await view.regions()) {
      for (const period of periods) {
        const record = await view.readings(region, period);
        const block = record && (await view.block(region, record.number))?.block;
        for (const one of block?.leaves ?? []) {
          const { prid, rc } = decodeReadingLeaf(one);
          blocks.#halves.set(toHex(prid), { period, rc });
        }
      }
    }
    return blocks;
  }

  half(prid: Uint8Array): { readonly period: Period; readonly rc: bigint } | undefined {
    return this.#halves.get(toHex(prid));
  }
}

/** Every value of 32 bytes in a bill: seeds, the hashes of their paths, the case key, the consortium id. */
export function secretsOf(report: BillReport): Uint8Array[] {
  const texts = JSON.stringify(report).match(/"[0-9a-f]{64}"/g) ?? [];
  return [...new Set(texts)].map((text) => fromHex(text.slice(1, -1)));
}

/** The seeds of a bill's own leaves. */
export function seedsIn({ seedLeaves }: BillReport): Keys[] {
  return seedLeaves.map(({ seeds: { s0, s1, r0, r1 } }) => [fromHex(s0), fromHex(s1), fromHex(r0), fromHex(r1)]);
}

/** What a period opens to under some keys, Wh; undefined where the ledger has not both halves under them. */
export function opened(blocks: Blocks, [s0, s1, r0, r1]: Keys, period: Period): bigint | undefined {
  const { k } = period;
  const [first, second] = [blocks.half(pridOf(leaf(s0, k))), blocks.half(pridOf(leaf(s1, k)))];
  if (first === undefined || second === undefined) return undefined;
  // The same leaf of another month's seeds is that month's reading.
  if (!samePeriod(first.period, period) || !samePeriod(second.period, period)) return undefined;
  return unmask(first.rc, second.rc, leaf(r0, k), leaf(r1, k));
}

/** Where keys are tried. */
export interface Tried {
  readonly consortium: Uint8Array;
  /** Each value is taken for the key of each of these, and ratcheted into it. */
  readonly months: readonly number[];
  /** The leaves that are tried of every seed, whichever period a reading is of. */
  readonly ks: readonly number[];
}

/** The readings of a ledger's blocks, as PRIDs in hex, that somebody finds who takes each value for a seed and for a key. */
export function found(blocks: Blocks, values: readonly Uint8Array[], { consortium, months, ks }: Tried): Set<string> {
  const halves = new Set<string>();
  const seeds = values.flatMap((value) => [value, ...derived(value, consortium, months)]);
  for (const seed of seeds) {
    for (const k of ks) {
      const prid = pridOf(leaf(seed, k));
      if (blocks.half(prid) !== undefined) halves.add(toHex(prid));
    }
  }
  return halves;
}

/** The seeds of a value that is taken for the key of each month, and for that of the month before. */
function derived(value: Uint8Array, consortium: Uint8Array, months: readonly number[]): Uint8Array[] {
  return months.flatMap((month) => {
    const { s0, s1, r0, r1 } = deriveSeeds(value, consortium, month);
    const next = deriveSeeds(ratchet(value, consortium, month), consortium, month);
    return [s0, s1, r0, r1, next.s0, next.s1];
  });
}

/** What somebody's bills open: periods with what was consumed, and how many readings every value in them finds. */
export interface Opening {
  /** By the period's index in the file; undefined where nothing opens. */
  readonly wh: ReadonlyMap<number, bigint>;
  readonly halves: ReadonlySet<string>;
}

/** What a customer's bills must open, and not a reading more. */
export function dueOpening(story: Story, { home, from, to }: Customer): { wh: [number, bigint][]; halves: number } {
  const wh: [number, bigint][] = [];
  let halves = 0;
  for (let n = from; n < to; n += 1) {
    const sent = story.onLedger(home, n);
    halves += sent.halves;
    if (sent.wh !== undefined) wh.push([n, sent.wh]);
  }
  return { wh, halves };
}

/** The periods of a run, by their index in the file. */
export type Periods = readonly Period[];

/** Tries everything that is in somebody's bills on every period of a run. */
export function tryBills(blocks: Blocks, reports: readonly BillReport[], periods: Periods, tried: Tried): Opening {
  const wh = new Map<number, bigint>();
  for (const keys of reports.flatMap(seedsIn)) {
    for (const [n, period] of periods.entries()) {
      const value = opened(blocks, keys, period);
      if (value !== undefined) wh.set(n, value);
    }
  }
  return { wh, halves: found(blocks, [...new Set(reports.flatMap(secretsOf).map(toHex))].map(fromHex), tried) };
}

/** Tries the bills of everybody who ever was the customer at a home's meter. */
export async function tryOwners(
  run: Run,
  customers: readonly Customer[],
  reports: readonly (readonly (BillReport | undefined)[])[],
  home: number,
): Promise<{ readonly customer: Customer; readonly opening: Opening }[]> {
  const { first, periods: count, periodSeconds } = run.record.input;
  const periods = Array.from({ length: count }, (_, n) => addPeriods(first, n, periodSeconds));
  const world = await run.world();
  try {
    const blocks = await Blocks.read(world, periods);
    const months = [...new Set(periods.map(({ month }) => month))];
    const tried = { consortium: await world.view.consortium(), months, ks: [...new Set(periods.map(({ k }) => k))] };
    return customers.flatMap((customer, i) => {
      if (customer.home !== home) return [];
      const own = (reports[i] ?? []).filter((report) => report !== undefined);
      return [{ customer, opening: tryBills(blocks, own, periods, tried) }];
    });
  } finally {
    await world.close();
  }
}
