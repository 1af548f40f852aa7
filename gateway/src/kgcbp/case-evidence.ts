import {
  ANSWER,
  SIG_BYTES,
  answerCodec,
  answerName,
  equalBytes,
  isVeilgridError,
  readingHash,
  verifyBody,
  verifyReceiptOf,
  window,
  type Answer,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { Half, Refusal, SignedHalves } from "@veilgrid/meter-client";
import type { LoggedPeriod } from "../input/meter-log.js";
import type { Fault } from "./case-record.js";

/** Why a meter was not complete, once its own log was compared. */
export type Reason =
  /** Its register was not read: it was off, or broken. */
  | "no-reading"
  /** KGCBP had told it to delete its keys, and the new ones did not hold yet: it had nothing to say. */
  | "keyless"
  /** It has a reading, and neither a receipt nor a signed refusal: it reached nobody. */
  | "undelivered"
  /** Aggregators refused it, and rightly by their own signed answers. */
  | "refused"
  /** An aggregator signed a refusal that is not true. */
  | "wrongly-refused"
  /** A quorum promised to count the reading, and it is not in the block. */
  | "receipted"
  /** It signed two different readings with one key. */
  | "two-readings"
  /** Its register shows what no home consumes. */
  | "register"
  /** Its log and what its reading opens to differ: KGCBP and the meter do not have the same key. */
  | "other-key";

/** Whose fault a reason is: the meter's (or its owner's), aggregators' by index, or nobody's that can be shown. */
export type Blame = "meter" | "aggregators" | "nobody";

const BLAME: Readonly<Record<Reason, Blame>> = {
  "no-reading": "meter",
  keyless: "nobody",
  undelivered: "meter",
  refused: "meter",
  "wrongly-refused": "aggregators",
  receipted: "aggregators",
  "two-readings": "meter",
  register: "meter",
  "other-key": "nobody",
};

/** An aggregator's signed refusal of a half that is missing. */
export interface RefusalEvidence {
  readonly half: Half;
  readonly da: number;
  /** The code's name, or the number of an unknown one. */
  readonly code: string;
  /** Whether what it says is not so. */
  readonly wrong: boolean;
  /** Answer ‖ sig. */
  readonly answer: Uint8Array;
}

/** Who is at fault in a case, and what shows it. */
export interface Finding {
  readonly reason: Reason;
  readonly blame: Blame;
  /** The aggregators that are convicted, by index in the period's params version. */
  readonly das: readonly number[];
  readonly refusals: readonly RefusalEvidence[];
  /** Receipts of missing halves: the signed reading and its Q acks. */
  readonly receipts: readonly { readonly reading: Uint8Array; readonly receipt: Uint8Array }[];
}

/** The committed period, as the comparison needs it. */
export interface CasePeriod {
  readonly consortium: Uint8Array;
  readonly period: Period;
  /** Of the period's epoch. */
  readonly params: Params;
  /** The aggregators whose votes are with the block. */
  readonly voters: readonly number[];
  /** Whether the meter was without keys in it, as KGCBP had told it. */
  readonly isKeyless: boolean;
  /** Whether the block has a reading of this half's PRID. */
  readonly has: (half: Half) => boolean;
  /** What the meter's key makes of a consumption. */
  readonly readings: (consumption: bigint) => SignedHalves;
}

function finding(reason: Reason, evidence: Partial<Omit<Finding, "reason" | "blame">> = {}): Finding {
  return { reason, blame: BLAME[reason], das: [], refusals: [], receipts: [], ...evidence };
}

/** A refusal that is not true, by what it says itself and what KGCBP knows: the reading is well-formed, signed and listed. */
function isWrong({ code, now }: Answer, { period, params }: CasePeriod): boolean {
  if (code === ANSWER["window-late"]) return now < BigInt(window(period, params).closes);
  return code === ANSWER.malformed || code === ANSWER["bad-signature"] || code === ANSWER["unknown-prid"];
}

/** The refusal, if its signature is the aggregator's and it is of this very reading. */
function evidenceOf(refusal: Refusal, reading: Uint8Array, of: CasePeriod): RefusalEvidence | undefined {
  const { half, da, answer: signed } = refusal;
  const key = of.params.da[da]?.key;
  if (key === undefined) return undefined;
  try {
    const [body, sig] = [signed.subarray(0, -SIG_BYTES), signed.subarray(-SIG_BYTES)];
    const answer = answerCodec.decode(body);
    const fits = answer.da === da && answer.params === of.params.version;
    if (!fits || !equalBytes(answer.readingHash, readingHash(reading))) return undefined;
    if (!verifyBody("answer", of.consortium, body, sig, key)) return undefined;
    return {
      half,
      da,
      code: answerName(answer.code) ?? String(answer.code),
      wrong: isWrong(answer, of),
      answer: signed,
    };
  } catch (error) {
    if (isVeilgridError(error)) return undefined;
    throw error;
  }
}

/** The aggregators that acked a reading and voted for a block without it; undefined without a valid receipt. */
function brokenPromise(log: LoggedPeriod, half: Half, reading: Uint8Array, of: CasePeriod): number[] | undefined {
  const proof = log.proofs[half];
  // A receipt of other bytes promises nothing of what the meter should have sent.
  if (proof === undefined || !equalBytes(proof.reading, reading)) return undefined;
  try {
    const acked = verifyReceiptOf(of.consortium, of.params, proof.receipt, reading).map(({ body }) => body.da);
    return acked.filter((da) => of.voters.includes(da));
  } catch (error) {
    if (isVeilgridError(error)) return undefined;
    throw error;
  }
}

const HALVES: readonly Half[] = [0, 1];

/** Of missing halves: promises that were broken weigh more than refusals, and untrue refusals more than true ones. */
function compareMissing(log: LoggedPeriod, consumption: bigint, of: CasePeriod): Finding {
  const sent = of.readings(consumption);
  const missing = HALVES.filter((half) => !of.has(half));
  const broken = missing.flatMap((half) => {
    const das = brokenPromise(log, half, sent[half], of);
    return das === undefined ? [] : [{ half, das }];
  });
  const refusals = log.refusals
    .filter(({ half }) => missing.includes(half))
    .flatMap((refusal) => evidenceOf(refusal, sent[refusal.half], of) ?? []);
  if (broken.length > 0) {
    const receipts = broken.flatMap(({ half }) => log.proofs[half] ?? []);
    return finding("receipted", { das: distinct(broken.flatMap(({ das }) => das)), refusals, receipts });
  }
  const wrong = refusals.filter((refusal) => refusal.wrong);
  if (wrong.length > 0) return finding("wrongly-refused", { das: distinct(wrong.map(({ da }) => da)), refusals });
  if (of.isKeyless) return finding("keyless", { refusals });
  return finding(refusals.length > 0 ? "refused" : "undelivered", { refusals });
}

function distinct(das: readonly number[]): number[] {
  return [...new Set(das)].sort((a, b) => a - b);
}

/**
 * Says why a meter was not complete, from its own log: "after comparing the meter's log and any signed refusals"
 * (PROTOCOL section 4, Finding faulty meters). What the log says for the meter counts only over others' signatures.
 */
export function compareLog(fault: Fault, log: LoggedPeriod, of: CasePeriod): Finding {
  const { consumption } = log;
  if (fault === "repeated") return finding("two-readings");
  if (consumption === undefined) return finding(of.isKeyless ? "keyless" : "no-reading");
  if (fault !== "implausible") return compareMissing(log, consumption, of);
  const bound = BigInt(of.params.maxWhPerPeriod);
  return finding(consumption > bound || -consumption > bound ? "register" : "other-key");
}
