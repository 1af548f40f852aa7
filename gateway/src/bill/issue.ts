import {
  billHash,
  compareBytes,
  draftReport,
  encodeReport,
  fromHex,
  padReport,
  toHex,
  type BillEntry,
  type BillReport,
  type OwnLeaf,
  type Penalties,
  type ReportDelta,
  type Supply,
  type Tariff,
} from "@veilgrid/protocol";
import type { ContentStore } from "../ports/content.js";
import { encryptBill, type SeededBytes } from "./encryption.js";

/** What all bills of a month have in common. */
export interface BillTerms {
  readonly consortium: Uint8Array;
  /** 12*year + (month-1). */
  readonly month: number;
  readonly periodSeconds: number;
  /** Bytes of every bill's ciphertext. */
  readonly billBytes: number;
  readonly tariff: Tariff;
  /** An IANA name: the zone that times are shown in. */
  readonly timeZone: string;
}

/** A leaf of the customer's, with what became of the month under its keys. */
export interface LeafMonth {
  readonly leaf: OwnLeaf;
  /** Complete readings in signed Wh, by k; undefined where there is none. */
  readonly readings: readonly (bigint | undefined)[];
  /** Whether the epoch of a period counts the leaf's meter, by k; where it does not, the meter was eliminated. */
  readonly counted: readonly boolean[];
  /** The cases in which the meter is blamed for its fault; ids of 16 bytes. */
  readonly charges: Penalties["cases"];
  /** The region's prices in micro-units per kWh, by k; undefined where no epoch covers the period. */
  readonly prices: readonly (bigint | undefined)[];
}

/** One customer's month. */
export interface CustomerMonth {
  /** 16 bytes. */
  readonly bid: Uint8Array;
  /** age X25519 recipient. */
  readonly recipient: string;
  /** The supply's stated end, exclusive, in k of the month. */
  readonly to: number;
  /** The month's case key, 32 bytes: it opens the charges' verdicts. */
  readonly caseKey: Uint8Array;
  /** At least one. */
  readonly leaves: readonly LeafMonth[];
}

/** "period k is ruled by the leaf with the greatest first <= k" (PROTOCOL section 4, Dynamic billing). */
function ruled(months: readonly LeafMonth[], { from, to }: Supply): LeafMonth[] {
  return Array.from({ length: to - from }, (_, i) => {
    const ruling = months.findLast(({ leaf }) => leaf.first <= from + i);
    return ruling ?? (months[0] as LeafMonth);
  });
}

/** The spans of a supply in which an epoch covers the period and does not count the ruling leaf's meter. */
function eliminatedSpans(rules: readonly LeafMonth[], { from }: Supply): Supply[] {
  const spans: Supply[] = [];
  for (const [i, { counted, prices }] of rules.entries()) {
    const k = from + i;
    if (prices[k] === undefined || counted[k] === true) continue;
    const last = spans.at(-1);
    if (last?.to === k) spans[spans.length - 1] = { from: last.from, to: k + 1 };
    else spans.push({ from: k, to: k + 1 });
  }
  return spans;
}

/** The charges of the leaves that rule their periods. */
function penaltiesOf(rules: readonly LeafMonth[], { from }: Supply, caseKey: Uint8Array): Penalties {
  const cases = rules.flatMap(({ charges }, i) => charges.filter(({ k }) => k === from + i));
  return { caseKey, cases };
}

/** A customer's month, period by period of the supply. */
export interface SuppliedMonth {
  readonly supply: Supply;
  /** Ascending by `first`. */
  readonly leaves: readonly OwnLeaf[];
  /** The region of the ruling leaf. */
  readonly regions: readonly number[];
  readonly prices: readonly (bigint | undefined)[];
  readonly readings: readonly (bigint | undefined)[];
  readonly eliminated: readonly Supply[];
  readonly penalties: Penalties;
}

/** What became of each period of a customer's month. */
export function suppliedMonth(customer: CustomerMonth): SuppliedMonth {
  const months = [...customer.leaves].sort((a, b) => a.leaf.first - b.leaf.first);
  const leaves = months.map(({ leaf }) => leaf);
  // "A bill covers the customer's supply: from its first leaf's period to the stated end."
  const supply = { from: leaves[0]?.first ?? customer.to, to: customer.to };
  const rules = ruled(months, supply);
  const prices = rules.map((rule, i) => rule.prices[supply.from + i]);
  return {
    supply,
    leaves,
    regions: rules.map(({ leaf }) => leaf.region),
    prices,
    // A period that no epoch of the ruling region covers has no reading either.
    readings: rules.map((rule, i) => (prices[i] === undefined ? undefined : rule.readings[supply.from + i])),
    eliminated: eliminatedSpans(rules, supply),
    penalties: penaltiesOf(rules, supply, customer.caseKey),
  };
}

/** A customer's report of a month. @throws VeilgridError `bad-bill-input`, `bad-tariff`. */
export function billReport(customer: CustomerMonth, terms: BillTerms, deltas: readonly ReportDelta[] = []): BillReport {
  return draftReport({ ...terms, ...suppliedMonth(customer), bid: customer.bid, deltas });
}

/** What a bill is, once its report is made. */
export interface BillDraft {
  readonly report: BillReport;
  /** age X25519 recipient. */
  readonly recipient: string;
  readonly billBytes: number;
  readonly revision: number;
}

/**
 * Encrypts a report to its customer and puts it into the content store: what the ledger will say of it.
 * @param seeded only in a run with a seed.
 * @throws VeilgridError `report-too-long`.
 */
export async function issueBill(draft: BillDraft, content: ContentStore, seeded?: SeededBytes): Promise<BillEntry> {
  const { report, recipient, billBytes, revision } = draft;
  const plaintext = padReport(encodeReport(report), billBytes);
  const ciphertext = await encryptBill(plaintext, recipient, billBytes, seeded);
  const { cid } = await content.put(ciphertext);
  return { bid: fromHex(report.bid), revision, cid, hash: billHash(ciphertext) };
}

/** Customers ascending by BID, as a `bills` transaction lists them. */
export function ascendingByBid<T extends { readonly bid: Uint8Array }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => compareBytes(a.bid, b.bid));
}

/** How a run with a seed draws the randomness of one bill's encryption: for no two texts the same. */
export function seededBill(
  random: { bytes(count: number, ...labels: readonly (string | number)[]): Uint8Array },
  month: number,
  { bid, revision }: Pick<BillEntry, "bid" | "revision">,
): SeededBytes {
  const labels = ["bill", month, toHex(bid), ...(revision === 0 ? [] : ["revision", revision])];
  return (count, draw) => random.bytes(count, ...labels, draw);
}
