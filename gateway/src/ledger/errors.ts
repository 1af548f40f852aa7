import { VeilgridError } from "@veilgrid/protocol";
import type { Facts } from "@veilgrid/protocol";

/** What a contract said when it refused. */
export interface ContractError {
  /** The contract's own stable code; `contract-error` where its message has none. */
  readonly code: string;
  readonly message: string;
  readonly facts: Facts;
}

function isScalar(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function scalars(value: unknown): Facts {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string | number | boolean] => isScalar(entry[1])),
  );
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads a contract's refusal. The project's contracts throw errors whose message is `{"code","message","facts"}` as
 * JSON; a peer puts words of its own before it ("chaincode response 500, "). Any other text is taken as it is.
 */
export function contractError(text: string): ContractError {
  const start = text.indexOf("{");
  const value = start < 0 ? undefined : parseObject(text.slice(start));
  if (typeof value?.code !== "string") return { code: "contract-error", message: text, facts: {} };
  const message = typeof value.message === "string" ? value.message : value.code;
  return { code: value.code, message, facts: scalars(value.facts) };
}

/** The contract said no; `facts.contract` is its code, beside the facts that it gave. */
export function endorseRefused(text: string): VeilgridError {
  const refusal = contractError(text);
  return new VeilgridError("endorse-refused", `the contract refused: ${refusal.message}`, {
    facts: { ...refusal.facts, contract: refusal.code },
    blame: "caller",
  });
}

/** Organisations came to different results; `facts.differs` names those outside the majority, all if there is none. */
export function endorseDiffers(differs: readonly string[], asked: number): VeilgridError {
  return new VeilgridError("endorse-differs", `the result of ${differs.join(", ")} differs from that of others`, {
    facts: { differs: differs.join(","), asked },
    blame: "ledger",
  });
}

/** Another transaction changed what this one had read: the same call may succeed when endorsed again. */
export function mvccConflict(txId: string, blockNumber: bigint, validation: string): VeilgridError {
  return new VeilgridError("mvcc-conflict", `transaction ${txId} is invalid: ${validation}`, {
    facts: { txId, blockNumber: blockNumber.toString(), validation },
    blame: "nobody",
    retry: true,
  });
}

/** Options of a ledger that contradict themselves. */
export function cannotBe(why: string, facts: Facts): VeilgridError {
  return new VeilgridError("out-of-range", why, { facts, blame: "operator" });
}

export function tooFewEndorsers(needed: number, available: number): VeilgridError {
  return new VeilgridError("ledger-unavailable", `${available} endorsers are up, ${needed} are needed`, {
    facts: { needed, available },
    blame: "operator",
    retry: true,
  });
}

/** The ledger is closed, or could not write: nothing more is taken until it is opened again. */
export function ledgerStopped(why: string, cause?: unknown): VeilgridError {
  return new VeilgridError("ledger-unavailable", `the ledger takes nothing more: ${why}`, {
    facts: { why },
    blame: "operator",
    retry: true,
    cause,
  });
}

/** The database in `path` could not be opened: `ledger-in-use` where another process has it, else `ledger-damaged`. */
export function openFailed(path: string, error: unknown): VeilgridError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const locked = cause instanceof Error && "code" in cause && cause.code === "LEVEL_LOCKED";
  if (!locked) return ledgerDamaged(path, "it cannot be opened", error);
  return new VeilgridError("ledger-in-use", "another process has this ledger open", {
    facts: { path },
    blame: "operator",
    retry: true,
    cause: error,
  });
}

export function ledgerDamaged(path: string, why: string, cause?: unknown): VeilgridError {
  return new VeilgridError("ledger-damaged", `the ledger's database is damaged: ${why}`, {
    facts: { path, why },
    blame: "operator",
    cause,
  });
}

export type FileFault =
  "ledger-file-unreadable" | "ledger-file-foreign" | "ledger-file-truncated" | "ledger-file-garbled";

/** Why an exported ledger file is not taken: `at` is the number of the block where it was noticed. */
export function fileFault(code: FileFault, file: string, at: bigint, why: string, cause?: unknown): VeilgridError {
  return new VeilgridError(code, `${file}, block ${at.toString()}: ${why}`, {
    facts: { file, block: at.toString(), why },
    blame: "operator",
    cause,
  });
}
