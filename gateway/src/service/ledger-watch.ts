import { isVeilgridError } from "@veilgrid/protocol";
import type { LedgerClient } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";

const EVERY_MS = 5_000;
/** An answer that takes longer is none: whoever submits would wait as long. */
const PATIENCE_MS = 15_000;

/** Asks the ledger for a small thing now and then, and says when it stops answering and when it answers again. */
export class LedgerWatch {
  readonly #client: LedgerClient;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #isUp = true;
  #isStopped = false;

  constructor({ client, log }: { readonly client: LedgerClient; readonly log: Log }) {
    this.#client = client;
    this.#log = log;
    this.#schedule();
  }

  /** Whether it answered when it was asked last. */
  get isUp(): boolean {
    return this.#isUp;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      void this.#ask();
    }, EVERY_MS);
  }

  async #ask(): Promise<void> {
    const why = await Promise.race([this.#answer(), silence()]);
    if (this.#isStopped) return;
    if (this.#isUp !== (why === undefined)) {
      if (why === undefined) this.#log("info", "ledger-back");
      else this.#log("warn", "ledger-lost", { why });
    }
    this.#isUp = why === undefined;
    this.#schedule();
  }

  /** Why there is none. */
  async #answer(): Promise<string | undefined> {
    try {
      await this.#client.evaluate({ name: "consortium", args: [] });
      return undefined;
    } catch (error) {
      return isVeilgridError(error) ? error.message : String(error);
    }
  }
}

function silence(): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS, "no answer in time").unref();
  });
}
