import { VeilgridError, type Facts } from "../errors.js";

/**
 * Why the ledger refuses a transaction. The codes are stable: callers, operators and tests rely on them.
 * A refusal with `retry` may pass later, when more is committed or more time has passed.
 */
export type RefusalCode =
  | "not-set-up"
  | "already-set-up"
  | "wrong-params"
  | "wrong-consortium"
  | "already-committed"
  | "wrong-number"
  | "wrong-previous"
  | "wrong-root"
  | "wrong-version"
  | "time-not-later"
  | "wrong-term"
  | "stale-term"
  | "not-the-leader"
  | "recent-leader"
  | "bad-signature"
  | "too-early"
  | "too-late"
  | "no-epoch"
  | "out-of-order"
  | "overlapping-epoch"
  | "not-in-filter"
  | "wrong-agg-fault"
  | "no-readings-block"
  | "wrong-block-hash"
  | "mask-exists"
  | "mask-not-due"
  | "not-in-block"
  | "too-few-meters"
  | "price-exists"
  | "wrong-basis"
  | "wrong-consumption"
  | "wrong-revision"
  | "month-open"
  | "month-deleted"
  | "no-fault"
  | "verdict-exists"
  | "missing-possession"
  | "too-few-aggregators";

/** A refusal of the ledger: nothing is written. */
export function refusal(code: RefusalCode, message: string, facts: Facts = {}, retry = false): VeilgridError {
  return new VeilgridError(code, message, { facts, blame: "caller", retry });
}

/** Throws the refusal unless `condition` holds. */
export function require(condition: boolean, code: RefusalCode, message: string, facts: Facts = {}): asserts condition {
  if (!condition) throw refusal(code, message, facts);
}

/** As `require`, of what may hold later: the refusal says that a retry makes sense. */
export function requireByNow(
  condition: boolean,
  code: RefusalCode,
  message: string,
  facts: Facts = {},
): asserts condition {
  if (!condition) throw refusal(code, message, facts, true);
}
