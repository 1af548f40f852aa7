import { H1, equalBytes, utf8 } from "@veilgrid/protocol";

/** One period of the paper's report (section 5, Dynamic billing d), with what a user is told to open its readings with. */
export interface PaperPeriod {
  /** Wh. */
  readonly consumption: bigint;
  /** Per Wh. */
  readonly price: bigint;
  /** H3(z) + H3(z'), in KGCBP's word. */
  readonly masks: bigint;
}

/** The paper's BillReport as bytes. Its encryption changes nothing for who has the key, and is left out. */
export function paperReport(periods: readonly PaperPeriod[]): Uint8Array {
  const total = periods.reduce((sum, { consumption, price }) => sum + consumption * price, 0n);
  const lines = periods.map(({ consumption, price, masks }) => `${consumption} ${price} ${masks}`);
  return utf8([...lines, `total ${total}`].join("\n"));
}

/** Hash of the bills transaction (section 5, Dynamic billing f). */
export function paperHash(report: Uint8Array): Uint8Array {
  return H1("paper/bill", report);
}

/**
 * All that the paper's user can check (section 5, Dynamic billing h): that the report is the one of the transaction, that
 * its total is what its lines come to, and that the readings on the blockchain open to what it says.
 * @param rc rc' + rc'' of each period, from the blockchain.
 */
export function paperUserAccepts(
  report: Uint8Array,
  hash: Uint8Array,
  periods: readonly PaperPeriod[],
  rc: readonly bigint[],
): boolean {
  const opens = periods.every(({ consumption, masks }, i) => (rc[i] as bigint) - masks === consumption);
  return opens && equalBytes(paperHash(report), hash) && equalBytes(report, paperReport(periods));
}
