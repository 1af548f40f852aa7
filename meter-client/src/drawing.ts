import type { Period } from "@veilgrid/protocol";
import type { Half } from "./halves.js";
import type { MeterRandom } from "./ports.js";

/** What a meter's draws depend on besides their purpose. */
export interface Draws {
  readonly random: MeterRandom;
  /** The meter's name: draws of different meters are independent. */
  readonly name: string;
}

/**
 * "A meter sends its halves at two independent random times in the window" (PROTOCOL section 3): milliseconds after
 * `from`, below `spanMs`. A meter that comes back in the middle of a window draws anew from then on, because to send all
 * that is overdue at once would show which halves belong together.
 */
export function sendDelay({ random, name }: Draws, period: Period, half: Half, from: number, spanMs: number): number {
  return random.below(Math.max(1, Math.floor(spanMs)), "meter", name, "send", period.month, period.k, half, from);
}

/** The DAs 0 to count-1 in a random order; `round` counts how often this half has gone through all of them. */
function shuffled({ random, name }: Draws, period: Period, half: Half, round: number, count: number): number[] {
  const order = Array.from({ length: count }, (_, da) => da);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = random.below(i + 1, "meter", name, "order", period.month, period.k, half, round, i);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/**
 * The order in which a half tries the DAs: "to two different DAs, in an order drawn anew". The second half never begins
 * where the first one does, unless there is one DA only.
 */
export function daOrder(draws: Draws, period: Period, half: Half, round: number, count: number): number[] {
  const order = shuffled(draws, period, half, round, count);
  if (half === 0 || order[0] !== shuffled(draws, period, 0, round, count)[0]) return order;
  return [...order.slice(1), ...order.slice(0, 1)];
}
