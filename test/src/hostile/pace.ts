import { setTimeout as pause } from "node:timers/promises";

/** What was missed for longer than that is not made up for. */
const LATEST_MS = 250;

/** Does something again and again at a pace until the signal, without waiting for the last one; then waits for all. */
export async function every(milliseconds: number, signal: AbortSignal, action: () => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>();
  let next = performance.now();
  while (!signal.aborted) {
    next = Math.max(next, performance.now() - LATEST_MS);
    for (; next <= performance.now(); next += milliseconds) {
      const one = action().finally(() => running.delete(one));
      running.add(one);
    }
    await pause(Math.max(1, next - performance.now()));
  }
  await Promise.all(running);
}
