import { isVeilgridError } from "@veilgrid/protocol";
import { openSource, type SourceAddress } from "./p1-source.js";
import { Pauses } from "./pauses.js";
import type { Border, FaultCode, OnFault, RegisterDriver, RegisterReading } from "./register.js";
import { TelegramStream } from "./telegram-stream.js";
import { registersOf } from "./telegram.js";

/** Meters send every second (DSMR 5) or every ten (DSMR 4): after this silence the source is opened anew. */
const QUIET_MS = 60_000;

export interface P1Options {
  readonly source: SourceAddress;
  /** After how long a silence the source is opened anew, real milliseconds; a minute if not given. */
  readonly quietMs?: number;
}

/** The register of a meter with a P1 port: telegrams from a serial device or from TCP, at the time they come. */
export class P1Driver implements RegisterDriver {
  readonly remembers = false;
  readonly #options: P1Options;
  readonly #now: () => number;
  readonly #onFault: OnFault;
  readonly #pauses = new Pauses();

  /** @param modules.now the meter's own time, Unix milliseconds. */
  constructor(options: P1Options, modules: { readonly now: () => number; readonly onFault: OnFault }) {
    this.#options = options;
    this.#now = modules.now;
    this.#onFault = modules.onFault;
  }

  async *readings(_since: Border | undefined, signal: AbortSignal): AsyncGenerator<RegisterReading, void> {
    while (!signal.aborted) {
      yield* this.#session(signal);
      await this.#pauses.next(signal);
    }
  }

  /** One opening of the source, until it is lost. */
  async *#session(signal: AbortSignal): AsyncGenerator<RegisterReading, void> {
    const telegrams = new TelegramStream();
    try {
      for await (const bytes of openSource(this.#options.source, this.#options.quietMs ?? QUIET_MS, signal)) {
        yield* this.#read(telegrams.push(bytes));
      }
      this.#lost("source-lost", "it ended");
    } catch (error) {
      if (signal.aborted) return;
      if (isVeilgridError(error, "source-quiet")) this.#lost("source-quiet", error.message);
      else this.#lost("source-lost", reasonOf(error));
    }
  }

  *#read(telegrams: readonly string[]): Generator<RegisterReading, void> {
    for (const telegram of telegrams) {
      try {
        yield { at: this.#now(), ...registersOf(telegram) };
        this.#pauses.reset();
      } catch (error) {
        if (!isVeilgridError(error)) throw error;
        this.#onFault({ code: error.code as FaultCode, facts: { why: error.message } });
      }
    }
  }

  #lost(code: FaultCode, why: string): void {
    this.#onFault({ code, facts: { why } });
  }
}

function reasonOf(error: unknown): string {
  if (isVeilgridError(error)) return error.message;
  return error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
}
