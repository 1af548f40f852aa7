import {
  VeilgridError,
  bloomBytes,
  comparePeriods,
  nextPeriod,
  periodsInMonth,
  periodAt,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { Roster } from "./roster.js";

/** Who counts where and when, as epochs are planned by it. */
export type Members = Pick<Roster, "membersAt" | "nextChange" | "firstSupply">;

const DAY_SECONDS = 86_400;
/** "or fewer so that a block stays <= 1 MiB" (PROTOCOL section 4, Filter generation). */
const BLOCK_BYTES = 1_048_576;
/** Header, leader's signature, the epoch's fixed fields, its signature and BF2 at their largest. */
const FRONT_BYTES = 1_024;

/** The periods of an epoch. */
export interface Span {
  readonly first: Period;
  readonly periods: number;
}

/** The most periods that an epoch of so many meters has: a UTC day, or an equal part of one. */
export function longestEpoch(meters: number, params: Params): number {
  const day = DAY_SECONDS / params.periodSeconds;
  const entry = bloomBytes(2 * meters, params.bitsPerElement) + 32 + (params.release === "upfront" ? 8 : 0);
  const parts = Math.ceil((day * entry) / (BLOCK_BYTES - FRONT_BYTES));
  return Math.max(1, Math.floor(day / parts));
}

function later(a: Period, b: Period): Period {
  return comparePeriods(a, b) < 0 ? b : a;
}

/** The first period from `at` on at which the region has a meter. */
function firstWithMembers(members: Members, region: number, at: Period): Period | undefined {
  for (let period: Period | undefined = at; period !== undefined; period = members.nextChange(region, period)) {
    if (members.membersAt(region, period).length > 0) return period;
  }
  return undefined;
}

/** Periods until the month's end, the day's, the epoch's longest, and the next change among the meters. */
function length(first: Period, meters: number, change: Period | undefined, params: Params): number {
  const day = DAY_SECONDS / params.periodSeconds;
  const longest = longestEpoch(meters, params);
  const inDay = first.k % day;
  // The parts of a day begin where they would in a whole one, whenever the first begins.
  const toPartEnd = Math.min(longest - (inDay % longest), day - inDay);
  const sameMonth = change?.month === first.month ? change.k - first.k : Number.POSITIVE_INFINITY;
  return Math.min(toPartEnd, sameMonth, periodsInMonth(first.month, params.periodSeconds) - first.k);
}

/**
 * The next epoch of a region: from the period after the last covered one, or that of `now` if it is later, as far as it
 * may reach. It ends where a meter is known to join or leave, so that a supply's last period is also its epoch's.
 * @param covered the last period that a committed epoch covers.
 * @param now Unix milliseconds.
 * @returns undefined if the region has no meter any more.
 * @throws VeilgridError `too-many-meters`.
 */
export function nextSpan(
  members: Members,
  region: number,
  covered: Period | undefined,
  now: number,
  params: Params,
): Span | undefined {
  const due = covered === undefined ? members.firstSupply(region) : nextPeriod(covered, params.periodSeconds);
  if (due === undefined) return undefined;
  const first = firstWithMembers(members, region, later(due, periodAt(now, params.periodSeconds)));
  if (first === undefined) return undefined;
  const meters = members.membersAt(region, first).length;
  if (meters > params.maxRegionMeters) {
    throw new VeilgridError("too-many-meters", "the region has more meters than the parameters allow", {
      facts: { region, meters, maxRegionMeters: params.maxRegionMeters },
      blame: "operator",
    });
  }
  return { first, periods: length(first, meters, members.nextChange(region, first), params) };
}
