/** How long a run may take to end after its last test, ms. */
const GRACE_MS = 20_000;

/**
 * Mocha's process ends by itself when nothing is left to do. A socket, timer or child that a test left open would keep it
 * for ever: then the run fails, and says what it was. The timer alone keeps nothing open. (Processes that run files side
 * by side are ended by mocha.)
 */
export const mochaHooks = {
  afterAll(): void {
    if (process.env.MOCHA_WORKER_ID !== undefined) return;
    setTimeout(() => {
      process.stderr.write(`a test left open: ${process.getActiveResourcesInfo().join(", ")}\n`);
      process.exit(1);
    }, GRACE_MS).unref();
  },
};
