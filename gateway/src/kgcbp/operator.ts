import type { Period } from "@veilgrid/protocol";
import type { MeterLogJson } from "../input/meter-log.js";
import type { BaseCopy } from "./base-copy.js";
import type { CaseView } from "./case-desk.js";
import type { MeterStanding } from "./change-desk.js";
import type { ChangePreview } from "./change-request.js";
import type { MeterChange as CountingChange } from "./elimination.js";
import type { MeterChange } from "../ports/keystore.js";
import type { KeptMonth } from "./retention.js";
import type { LoggedValue, SettledValue } from "./settle-desk.js";

/**
 * A change of a meter as an operator asks for it. Who is `customer` and what is `device` is a name where KGCBP makes the
 * keys of a run, and an age recipient where they are others'.
 */
export type MeterOrder = { readonly meter: string; readonly at?: Period | undefined } & (
  | {
      readonly kind: "add";
      readonly region: number;
      readonly customer: string;
      readonly device: string;
      /** In a run: the meter of the input whose register the new one shows. */
      readonly like?: string | undefined;
    }
  | { readonly kind: "remove" }
  | {
      readonly kind: "replace";
      readonly device: string;
      readonly key: "kept" | "fresh";
      readonly compromised: boolean;
    }
  | { readonly kind: "move"; readonly region: number }
  | { readonly kind: "sell"; readonly customer: string }
  | { readonly kind: "rekey"; readonly compromised: boolean }
);

/** What became of an order. */
export interface OrderResult {
  /** Absent of a preview. */
  readonly change?: MeterChange | undefined;
  /** Absent where the same change was kept before. */
  readonly preview?: ChangePreview | undefined;
  /** The BID of the customer who comes, 16 bytes, where KGCBP drew it. */
  readonly bid?: Uint8Array | undefined;
}

/** What KGCBP does for its operator, in a run or as a running service. */
export interface OperatedKgcbp {
  cases(): Promise<readonly CaseView[]>;
  /** Compares logs with a case; without any it only shows it. Errors as CaseDesk. */
  compare(asked: {
    readonly region: number;
    readonly period: Period;
    readonly logs: readonly MeterLogJson[];
  }): Promise<CaseView>;
  /** Has a meter count, or not. Errors as Elimination. */
  count(asked: {
    readonly meter: string;
    readonly counts: boolean;
    readonly from?: Period | undefined;
    readonly dryRun: boolean;
  }): Promise<CountingChange>;
  /** Settles values of a meter's log. Errors as SettleDesk. */
  settle(asked: {
    readonly meter: string;
    readonly values: readonly LoggedValue[];
    readonly reason?: string | undefined;
    readonly dryRun: boolean;
  }): Promise<readonly SettledValue[]>;
  /** Changes a meter. Errors as ChangeDesk. */
  change(asked: { readonly order: MeterOrder; readonly dryRun: boolean }): Promise<OrderResult>;
  meters(): Promise<readonly MeterStanding[]>;
  months(): Promise<readonly KeptMonth[]>;
  /** Erases a month and all before it. Errors as Retention. */
  erase(asked: {
    readonly month: number;
    readonly early: boolean;
    readonly force: boolean;
    readonly dryRun: boolean;
  }): Promise<readonly number[]>;
  /** Takes a new base copy. */
  copy(): Promise<BaseCopy>;
}
