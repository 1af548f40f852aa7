/** Time as the adapter needs it: the machine's in a process, a test's own in a test. */
export interface Waiting {
  /** Milliseconds; only differences count. */
  now(): number;
  wait(milliseconds: number): Promise<void>;
  /** At least 0 and below 1, another one each time. */
  draw(): number;
}

/** The machine's time. A wait keeps the process alive. */
export const machineWaiting: Waiting = {
  now: () => performance.now(),
  wait: (milliseconds) =>
    new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    }),
  draw: () => Math.random(),
};

/** Milliseconds of the first pause after a failure, and of the longest. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2000;

/**
 * The pause after failure number `failures` (from 0), in milliseconds: twice as long each time, and by up to half of it
 * shorter, so that clients that failed together do not come back together.
 */
export function pauseAfter(failures: number, { draw }: Pick<Waiting, "draw">): number {
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
  return longest * (1 - draw() / 2);
}

/** Milliseconds as seconds with one decimal: "11.3". */
export function inSeconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
