import { toHex, utf8, type Period } from "@veilgrid/protocol";
import type { EnrolmentId } from "../ports/keystore.js";

/** A period in the keys of KGCBP's store: padded, so that the order of keys is that of time. */
export function periodName({ month, k }: Period): string {
  return `${String(month).padStart(6, "0")}/${String(k).padStart(4, "0")}`;
}

/** A month in the keys of KGCBP's store. */
export function monthPart(month: number): string {
  return String(month).padStart(6, "0");
}

/** Where KGCBP keeps that all bills of a month are on the ledger. */
export function billedName(month: number): string {
  return `billed/${monthPart(month)}`;
}

/** A region-period in the keys of KGCBP's store. */
export function slotName(region: number, period: Period): string {
  return `${String(region).padStart(5, "0")}/${periodName(period)}`;
}

/** An enrolment's own name: a BID has one from each period. */
export function enrolmentName({ bid, from }: EnrolmentId): string {
  return `${toHex(bid)}/${periodName(from)}`;
}

/** A meter in the keys of KGCBP's store: its name may have any characters. */
export function meterName(meter: string): string {
  return toHex(utf8(meter));
}
