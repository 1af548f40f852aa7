import { isVeilgridError, type Facts } from "@veilgrid/protocol";
import pino from "pino";
import type { Level, Log } from "../ports/log.js";
import { Redaction } from "./redaction.js";

/** What waits for a reader that has stopped; more is dropped, and the process goes on. */
const MOST_WAITING_BYTES = 4 * 1_048_576;

/** How a process logs. */
export interface LogOptions {
  readonly level: Level;
  /** In every line: who speaks, such as { role: "da", msp: "DA0MSP" }. */
  readonly base: Facts;
  /** What must not occur in any line, such as a key in hex. */
  readonly secrets?: readonly string[];
  /** A file descriptor or a path; standard output if not given. */
  readonly destination?: number | string;
}

/** A process's log: lines of JSON with time, level, event and facts. */
export interface ProcessLog {
  readonly log: Log;
  /** Logs what was thrown, by its code and facts, or with its stack where it is a defect. */
  readonly failure: (level: Level, event: string, error: unknown, facts?: Facts) => void;
  /** Resolves when everything is written. */
  readonly close: () => Promise<void>;
}

/** Opens a process's log. */
export function openLog({ level, base, secrets, destination = 1 }: LogOptions): ProcessLog {
  const redaction = new Redaction(secrets);
  const stream = pino.destination({ dest: destination, sync: false, maxLength: MOST_WAITING_BYTES });
  // A reader that is gone is no reason to stop.
  stream.on("error", () => undefined);
  const logger = pino(
    {
      level,
      base,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const log: Log = (at, event, facts = {}) => {
    logger[at](redaction.of(facts), event);
  };
  return {
    log,
    failure: (at, event, error, facts = {}) => {
      log(at, event, { ...facts, ...factsOf(error, redaction) });
    },
    close: () =>
      new Promise((resolve) => {
        stream.once("close", resolve);
        stream.end();
      }),
  };
}

function factsOf(error: unknown, redaction: Redaction): Facts {
  if (isVeilgridError(error)) {
    const { code, facts, blame, retry } = error;
    return { ...facts, code, why: redaction.text(error.message), blame, retry };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "internal-error", why: redaction.text(stack) };
}
