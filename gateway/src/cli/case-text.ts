import { toHex } from "@veilgrid/protocol";
import type { Finding, Reason } from "../kgcbp/case-evidence.js";
import type { CaseMeter, CaseView } from "../kgcbp/case-desk.js";
import { findingJson, type FindingJson } from "../kgcbp/case-findings.js";
import type { Fault } from "../kgcbp/case-record.js";
import { startOf, utcMinute } from "./output.js";

const FAULTS: Readonly<Record<Fault, string>> = {
  silent: "no half on the ledger",
  half: "one half on the ledger",
  repeated: "a half twice with different values",
  implausible: "opens to more than a home consumes",
};

const REASONS: Readonly<Record<Reason, string>> = {
  "no-reading": "the register was not read",
  keyless: "was told to delete its keys, and its new ones did not hold yet",
  undelivered: "has a reading, and neither a receipt nor a signed refusal",
  refused: "was refused, by the aggregators' signed answers",
  "wrongly-refused": "was refused by a signed answer that is not true",
  receipted: "has the receipt of a quorum, and the block lacks the reading",
  "two-readings": "signed two readings with one key",
  register: "its register shows the same",
  "other-key": "its log says otherwise: it has another key than KGCBP",
};

/** What is wrong with a meter, in words. */
export function faultText(fault: Fault): string {
  return FAULTS[fault];
}

/** Who is at fault, in words. */
export function findingText(finding: Finding | undefined): string {
  if (finding === undefined) return "its log was not compared yet";
  const { reason, blame, das, refusals } = finding;
  const who = blame === "aggregators" ? `aggregator ${das.join(", ")}` : blame;
  const answers = refusals.map(({ half, da, code }) => `half ${half + 1} by da ${da}: ${code}`);
  return `${who}: ${REASONS[reason]}${answers.length === 0 ? "" : ` (${answers.join("; ")})`}`;
}

function hasNoLog({ meters }: CaseView): boolean {
  return meters.some(({ finding }) => finding === undefined);
}

/** What KGCBP's operator does next about a case. */
export function nextStep(view: CaseView, periodSeconds: number): string {
  const { status, region, period, meters } = view;
  if (status === "open") return "its verdict is on its way: run on";
  if (status === "overdue")
    return "its verdict is not on the ledger: see whether KGCBP and a quorum of aggregators run";
  if (hasNoLog(view))
    return `compare the meters' logs: veilgrid kgcbp case ${region} ${startOf(period, periodSeconds)}`;
  const blames = new Set(meters.map(({ finding }) => finding?.blame));
  if (blames.has("aggregators")) return "show the evidence (--json) to the consortium: an aggregator broke its word";
  const reasons = new Set(meters.map(({ finding }) => finding?.reason));
  if (reasons.has("other-key")) return "re-key the meter: it has another key than KGCBP";
  if (!blames.has("meter")) return "nothing: it was silent because its keys were changed";
  return "see to the meter; veilgrid kgcbp eliminate METER leaves it out until it is repaired";
}

interface MeterJson {
  readonly meter: string;
  readonly fault: Fault;
  readonly finding: FindingJson | null;
}

/** A case for programs. */
export interface CaseJson {
  readonly region: number;
  readonly periodStart: string;
  readonly k: number;
  readonly status: CaseView["status"];
  readonly reportedAt: string;
  readonly dueAt: string | null;
  readonly ref: string | null;
  readonly meters: readonly MeterJson[];
  readonly next: string;
}

function meterJson({ meter, fault, finding }: CaseMeter): MeterJson {
  return { meter, fault, finding: finding === undefined ? null : findingJson(finding) };
}

export function caseJson(view: CaseView, periodSeconds: number): CaseJson {
  const { region, period, status, reportedAt, dueAt, ref, meters } = view;
  return {
    region,
    periodStart: startOf(period, periodSeconds),
    k: period.k,
    status,
    reportedAt: utcMinute(reportedAt),
    dueAt: ref === undefined ? null : utcMinute(dueAt),
    ref: ref === undefined ? null : toHex(ref),
    meters: meters.map(meterJson),
    next: nextStep(view, periodSeconds),
  };
}
