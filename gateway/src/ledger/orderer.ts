import type { Committer, Endorsed, Outcome } from "./committer.js";
import { ledgerStopped } from "./errors.js";

/** Most transactions in a block (Fabric's sample MaxMessageCount is 10 to 500). */
const MAX_TRANSACTIONS = 100;
/** A block is cut once its writes pass this many bytes; one transaction may be larger. */
const PREFERRED_BYTES = 8 * 1024 * 1024;

interface Waiting {
  readonly endorsed: Endorsed;
  readonly size: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

function sizeOf({ rwset }: Endorsed): number {
  return rwset.writes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
}

/**
 * Puts endorsed transactions in the order in which they came. What comes while a block is being written waits
 * together for the next one, so callers that go one by one get a block each, and many at once share one sync.
 */
export class Orderer {
  readonly #committer: Committer;
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #stopped: Error | undefined;

  constructor(committer: Committer) {
    this.#committer = committer;
  }

  /** Resolved when the transaction is in a block, valid or not. @throws VeilgridError `ledger-unavailable`. */
  order(endorsed: Endorsed): Promise<Outcome> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ endorsed, size: sizeOf(endorsed), resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Takes nothing more, and waits for what was taken. */
  async stop(): Promise<void> {
    this.#stopped ??= ledgerStopped("it is closed");
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let batch = this.#cut(); batch.length > 0; batch = this.#cut()) await this.#write(batch);
    this.#writing = undefined;
  }

  #cut(): readonly Waiting[] {
    let bytes = 0;
    const full = this.#waiting.findIndex(({ size }, i) => {
      bytes += size;
      return i > 0 && (i >= MAX_TRANSACTIONS || bytes > PREFERRED_BYTES);
    });
    return this.#waiting.splice(0, full < 0 ? this.#waiting.length : full);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#committer.commit(batch.map(({ endorsed }) => endorsed));
      for (const [i, { resolve }] of batch.entries()) resolve(outcomes[i] as Outcome);
    } catch (error) {
      // Whether the block is on disk is not known, so nothing may follow it until the ledger has been opened again.
      const stopped = ledgerStopped("a block could not be written", error);
      this.#stopped = stopped;
      for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(stopped);
    }
  }
}
