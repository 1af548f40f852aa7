import type { TimeScale } from "../process/clock.js";

/** What time it is in a time-lapse, Unix milliseconds. */
export function timeIn({ origin, start, factor }: TimeScale, real = Date.now()): number {
  return start + (real - origin) * factor;
}

/** When a time of a time-lapse is, in Unix milliseconds of the machine. */
export function realTimeOf({ origin, start, factor }: TimeScale, time: number): number {
  return origin + (time - start) / factor;
}

/** The same in the configurations' environment, so that all processes go by one clock. */
export function clockEnvironment({ origin, start, factor }: TimeScale): Readonly<Record<string, string>> {
  return {
    VEILGRID_CLOCK_ORIGIN: new Date(Math.round(origin)).toISOString(),
    VEILGRID_CLOCK_START: new Date(Math.round(start)).toISOString(),
    VEILGRID_CLOCK_FACTOR: String(factor),
  };
}
