/** The signals that stop a service. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const NUMBERS = { SIGTERM: 15, SIGINT: 2 } as const;

export type StopSignal = (typeof SIGNALS)[number];

/**
 * Resolves at the first SIGTERM or SIGINT; the second one ends the process at once, as the signal would have.
 * @param end how the process is ended; by default it is exited.
 */
export function untilStopped(end: (code: number) => void = (code) => process.exit(code)): Promise<StopSignal> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (isStopping) end(128 + NUMBERS[signal]);
        isStopping = true;
        resolve(signal);
      });
    }
  });
}
