import {
  VeilgridError,
  billHash,
  equalBytes,
  isVeilgridError,
  monthName,
  parseReport,
  toHex,
  unpadReport,
  verifyBill,
  type BillEntry,
  type BillReport,
  type Difference,
  type EarlierBill,
  type EarlierBills,
  type ReportFigures,
} from "@veilgrid/protocol";
import { decryptBill } from "../bill/encryption.js";
import type { ContentStore } from "../ports/content.js";
import type { CommittedMonth } from "./committed-month.js";

/** A user [4.1]: the customer of one BID. */
export interface CustomerOptions {
  /** 16 bytes. */
  readonly bid: Uint8Array;
  /** age X25519 identity, secret. */
  readonly identity: string;
}

/** A bill with the verdict on it. */
export interface VerifiedBill {
  /** Whether everything in the report follows from the ledger and the customer's own seeds. */
  readonly verified: boolean;
  /** Empty where it is verified; the first one is the one to look at. */
  readonly differences: readonly Difference[];
  readonly report: BillReport;
  /** The bill as it follows from the ledger. */
  readonly figures: ReportFigures;
  /** The months ("YYYY-MM") whose deltas could not be recomputed, because a bill is not at hand. */
  readonly uncheckedDeltas: readonly string[];
  /** What the ledger says of the ciphertext. */
  readonly entry: BillEntry;
}

/** The ledger's other months: read where a bill settles one. */
export type OtherMonths = (month: number) => Promise<CommittedMonth>;

/** Where a bill's text is not what the ledger names, the right one is not at hand. */
const ABSENT: readonly string[] = ["content-missing", "content-corrupt", "wrong-bill-hash"];

/**
 * A customer's side of a bill: "finds its BID, fetches by CID, compares Hash, decrypts, and recomputes everything from
 * the ledger" (PROTOCOL section 4, Dynamic billing).
 */
export class Customer {
  readonly #options: CustomerOptions;
  readonly #content: Pick<ContentStore, "get">;

  constructor(options: CustomerOptions, modules: { readonly content: Pick<ContentStore, "get"> }) {
    this.#options = options;
    this.#content = modules.content;
  }

  /**
   * The decrypted report of a month's newest bill.
   * @throws VeilgridError `no-bill` (retry), `content-missing` (retry), `content-corrupt`, `wrong-bill-hash`,
   * `cannot-decrypt`, `malformed`, `not-canonical`, `wrong-bill`.
   */
  async open(month: CommittedMonth): Promise<{ readonly report: BillReport; readonly entry: BillEntry }> {
    const { bid, identity } = this.#options;
    const entry = month.bill(bid);
    if (entry === undefined) throw refusal("no-bill", "the ledger has no bill of this customer and month", month, true);
    const ciphertext = await this.#content.get(entry.cid);
    if (!equalBytes(billHash(ciphertext), entry.hash)) {
      throw refusal("wrong-bill-hash", "the bill is not the one that the ledger names", month);
    }
    const plaintext = await decryptBill(ciphertext, identity);
    const report = parseReport(unpadReport(plaintext, ciphertext.length));
    const own = report.bid === toHex(bid) && report.month === monthName(month.month);
    if (!own || report.periodSeconds !== month.periodSeconds) {
      throw refusal("wrong-bill", "the bill is another customer's, of another month or in other periods", month);
    }
    return { report, entry };
  }

  /**
   * Opens the month's bill and recomputes it.
   * @param others for its deltas; without them those of other months are not recomputed.
   * @throws VeilgridError as `open`, and what reading the ledger throws.
   */
  async verify(month: CommittedMonth, others?: OtherMonths): Promise<VerifiedBill> {
    const { report, entry } = await this.open(month);
    const earlier: EarlierBills = (at) => this.#earlier(at, others);
    const { differences, figures, uncheckedDeltas } = await verifyBill(report, month, earlier);
    return { verified: differences.length === 0, differences, uncheckedDeltas, report, figures, entry };
  }

  async #earlier(at: number, others: OtherMonths | undefined): Promise<EarlierBill | "none" | "absent"> {
    if (others === undefined) return "absent";
    const ledger = await others(at);
    if (ledger.bill(this.#options.bid) === undefined) return "none";
    try {
      const { report } = await this.open(ledger);
      return { report, ledger };
    } catch (error) {
      if (isVeilgridError(error) && ABSENT.includes(error.code)) return "absent";
      throw error;
    }
  }
}

function refusal(code: string, message: string, { month }: CommittedMonth, retry = false): VeilgridError {
  return new VeilgridError(code, message, { facts: { month: monthName(month) }, blame: "peer", retry });
}
