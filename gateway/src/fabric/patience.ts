/** How long a replica waits for what. A test has its own. */
export interface Patience {
  /** Resolves after so many milliseconds, or when `signal` is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
  /**
   * Milliseconds in which a peer has to give a block that it is known to have. Peers of one channel have a block within
   * some 100 ms of each other; one that comes back after a fault takes a second or two.
   */
  readonly stall: number;
  /** Milliseconds between two looks whether the preferred peer is there again. */
  readonly return: number;
  /** Milliseconds of the first pause after all peers failed, doubled each time, and of the longest. */
  readonly pause: number;
  readonly longestPause: number;
}

/** The machine's time. */
export const machinePatience: Patience = {
  wait: (milliseconds, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
      if (signal.aborted) done();
      else signal.addEventListener("abort", done);
    }),
  stall: 3000,
  return: 30_000,
  pause: 200,
  longestPause: 5000,
};
