import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * How nice the attacker is: it is on the machine of those whom it attacks, and is to bring what a line brings, not to take
 * their processor.
 */
export const ATTACKER_NICENESS = 10;
/** And how nice they are, where the machine lets them: others who use it are no part of what is measured. */
export const ATTACKED_NICENESS = -10;

/** How nice this process is, and those that it starts from now on; who may not choose stays as it is. */
export function beNice(niceness: number): void {
  try {
    setPriority(niceness);
    // Linux shares the processor out among sessions first (sched(7), autogroup).
    writeFileSync("/proc/self/autogroup", String(niceness));
  } catch {
    // Only the superuser may be less nice, and not every system has such groups.
  }
}
