/** Who has to act so that it does not happen again. */
export type Blame = "caller" | "peer" | "operator" | "ledger" | "nobody";

/** Facts that a program can read off an error: never a secret, never a BID beside a PRID. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

/** What an error knows besides its code and its sentence. */
export interface ErrorDetail {
  readonly facts?: Facts;
  readonly blame: Blame;
  /** Whether the same call may succeed later without a change. */
  readonly retry?: boolean;
  readonly cause?: unknown;
}

/**
 * The one error type of Veilgrid: a stable kebab-case code for programs, a sentence for people,
 * the facts, who is at fault, and whether a retry makes sense.
 */
export class VeilgridError extends Error {
  readonly code: string;
  readonly facts: Facts;
  readonly blame: Blame;
  readonly retry: boolean;

  constructor(code: string, message: string, detail: ErrorDetail) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "VeilgridError";
    this.code = code;
    this.facts = detail.facts ?? {};
    this.blame = detail.blame;
    this.retry = detail.retry ?? false;
  }
}

/** Narrowing helper: whether `error` is a VeilgridError, of the given code if one is named. */
export function isVeilgridError(error: unknown, code?: string): error is VeilgridError {
  return error instanceof VeilgridError && (code === undefined || error.code === code);
}
