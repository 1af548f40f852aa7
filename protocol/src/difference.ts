/** What can be wrong with a bill, by name. */
export type DifferenceCode =
  | "wrong-consortium"
  | "unknown-epoch"
  | "wrong-first-period"
  | "seeds-not-committed"
  | "prid-not-listed"
  | "not-eliminated"
  | "wrongly-excluded"
  | "not-excluded"
  | "no-price"
  | "no-verdict"
  | "penalty-without-fault"
  | "wrong-quality"
  | "wrong-consumption"
  | "wrong-price"
  | "wrong-cost"
  | "wrong-tier-cost"
  | "wrong-delta"
  | "wrong-line"
  | "wrong-total"
  | "wrong-feedback";

/** One place where a bill and the ledger disagree. */
export interface Difference {
  readonly code: DifferenceCode;
  /** The period of the bill's month, where it is about one. */
  readonly k?: number;
  /** What is different, for people. */
  readonly what: string;
  /** What follows from the ledger, and what the report says. */
  readonly ledger: string;
  readonly report: string;
}
