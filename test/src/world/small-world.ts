import fc from "fast-check";
import type { RunArguments } from "@veilgrid/gateway";
import { MeterCsv } from "./meter-csv.js";

/** A random small town and what happens to it. */
export interface SmallWorld {
  /** Wh by period and home; null where the meter makes no reading. */
  readonly cells: readonly (readonly (number | null)[])[];
  readonly completeness: RunArguments["completeness"];
  readonly release: RunArguments["release"];
  readonly seed: number;
  /** Halves that never reach anybody, as "home/period/half". */
  readonly lost: readonly string[];
  /** Every so many messages between the parties one is lost, but for what meters send. */
  readonly lossy: number | undefined;
  /** What goes wrong: one DA of four at most. */
  readonly fault: string | undefined;
  /** When all processes die and are started again: seconds since the first window opened. */
  readonly deaths: readonly number[];
}

const PERIODS = 3;
const HOMES = 7;
/** The first period is its month's last. */
const START = Date.UTC(2016, 1, 29, 23, 30);

const cell = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3000, max: 9000 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

const fault = fc.oneof(
  fc.constant(undefined),
  fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: PERIODS - 1 })).map(([da, from]) => `down:${da}@${from}-${from}`),
  fc.nat({ max: 3 }).map((da) => `down:${da}@0`),
  fc.nat({ max: PERIODS - 1 }).map((k) => `kill-leader@${k}`),
  fc.nat({ max: 3 }).map((da) => `omit:${da}`),
);

const lostHalf = fc
  .tuple(fc.nat({ max: HOMES - 1 }), fc.nat({ max: PERIODS - 1 }), fc.nat({ max: 1 }))
  .map(([home, n, half]) => `${home}/${n}/${half}`);

/** In a window or soon after it: then there is something to lose. */
const death = fc
  .tuple(fc.nat({ max: PERIODS - 1 }), fc.integer({ min: 1, max: 720 }))
  .map(([n, seconds]) => 1800 * n + seconds);

/** Towns of seven homes over three periods, across the end of February of a leap year. */
export const smallWorld: fc.Arbitrary<SmallWorld> = fc.record({
  cells: fc.array(fc.array(cell, { minLength: HOMES, maxLength: HOMES }), { minLength: PERIODS, maxLength: PERIODS }),
  completeness: fc.constantFrom("set", "sum"),
  release: fc.constantFrom("after-commit", "upfront"),
  seed: fc.nat(),
  lost: fc.uniqueArray(lostHalf, { maxLength: 4 }),
  lossy: fc.option(fc.integer({ min: 9, max: 60 }), { nil: undefined }),
  fault,
  deaths: fc.uniqueArray(death, { maxLength: 3 }),
});

function kiloWattHours(wh: number | null): string {
  if (wh === null) return "";
  const digits = String(Math.abs(wh)).padStart(4, "0");
  return `${wh < 0 ? "-" : ""}${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

/** The file that the town's meters make. */
export function fileOf({ cells }: SmallWorld): MeterCsv {
  const households = Array.from({ length: HOMES }, (_, i) => `M${i}`);
  const starts = cells.map((_, n) => START + n * 1_800_000);
  return new MeterCsv(
    households,
    starts,
    cells.map((row) => row.map(kiloWattHours)),
  );
}

/** What of it counts: a meter that lost a half in a period has no complete reading there. */
export function countedOf(world: SmallWorld): MeterCsv {
  const lost = new Set(world.lost.map((name) => name.slice(0, name.lastIndexOf("/"))));
  return fileOf(world).with((text, household, n) => (lost.has(`${household}/${n}`) ? "" : text));
}
