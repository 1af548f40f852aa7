import { addPeriods, periodEnd, type LedgerView, type Period } from "@veilgrid/protocol";
import type { RunInput } from "./plan.js";
import type { World } from "./world.js";

/** A period of a region. */
export interface RegionPeriod {
  readonly region: number;
  readonly period: Period;
}

/** Whether something is done with a period. */
export type Done = (at: RegionPeriod) => Promise<boolean>;

/** What a frontier asks of a world. */
export type Ground = Pick<World, "view" | "clock">;

/**
 * How far the regions have come, each from the run's first period on: up to the first one with which something is not
 * done yet. It only ever moves on, so asking often costs little.
 */
export class Frontier {
  readonly #ground: Ground;
  readonly #input: RunInput;
  readonly #done: Done;
  readonly #next: number[];

  /** @param regions number of regions, which count from 1. */
  constructor(run: { readonly input: RunInput; readonly regions: number }, ground: Ground, done: Done) {
    this.#ground = ground;
    this.#input = run.input;
    this.#done = done;
    this.#next = Array.from({ length: run.regions }, () => 0);
  }

  /** How many periods of each region lie behind the frontier, in the order of the regions. */
  async reached(): Promise<readonly number[]> {
    for (const index of this.#next.keys()) await this.#move(index);
    return [...this.#next];
  }

  async #move(index: number): Promise<void> {
    const { first, periods, periodSeconds } = this.#input;
    for (let next = this.#next[index] as number; next < periods; next += 1) {
      const at = { region: 1 + index, period: addPeriods(first, next, periodSeconds) };
      if (!(await this.#done(at)) && !(await this.#passed(at))) return;
      this.#next[index] = next + 1;
    }
  }

  /** A period without an epoch never has a block: "an epoch [is valid] before the end of its first period". */
  async #passed({ region, period }: RegionPeriod): Promise<boolean> {
    const { view, clock } = this.#ground;
    if (clock.now() < periodEnd(period, this.#input.periodSeconds)) return false;
    const epochs = await view.epochs(region, period.month);
    return !epochs.some(({ k, periods }) => k <= period.k && period.k < k + periods);
  }
}

/** The region-periods from one frontier to a later one, region by region. */
export function* between(from: readonly number[], to: readonly number[], input: RunInput): Generator<RegionPeriod> {
  for (const [index, end] of to.entries()) {
    for (let n = from[index] ?? 0; n < end; n += 1) {
      yield { region: 1 + index, period: addPeriods(input.first, n, input.periodSeconds) };
    }
  }
}

/** Whether a period has its readings block. */
export function committed(view: LedgerView): Done {
  return async ({ region, period }) => (await view.readings(region, period)) !== undefined;
}

/**
 * Whether a period has its readings block and, "after-commit", its mask release: "An empty block gets no release."
 */
export function released(view: LedgerView): Done {
  return async ({ region, period }) => {
    const readings = await view.readings(region, period);
    if (readings === undefined) return false;
    const { release } = await view.currentParams();
    return release === "upfront" || readings.count === 0 || (await view.mask(region, period)) !== undefined;
  };
}

/** Whether a period has its price. */
export function priced(view: LedgerView): Done {
  return async ({ region, period }) => (await view.price(region, period)) !== undefined;
}
