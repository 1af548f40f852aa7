import {
  KIND,
  LedgerView,
  READING_BYTES,
  SIGNED_READING_BYTES,
  VeilgridError,
  decodeVotes,
  judgeReceipt,
  quorum,
  readingCodec,
  receiptVersion,
  samePeriod,
  verifyReceipted,
  verifyVotes,
  type Params,
  type Period,
  type ReceiptBlock,
  type StateReader,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { CertifiedBlocks, type CertifiedBlock } from "../committed/blocks.js";

/** What a receipt says of those who signed it, by the ledger. */
export interface ReceiptJudgement {
  readonly region: number;
  readonly period: Period;
  /** `undecided`: the ledger has no block of the period yet, or no epoch that covers it. */
  readonly verdict: "acquitted" | "convicted" | "undecided";
  readonly because: string;
  /** The MSP ids of the aggregators that broke their word; empty unless convicted. */
  readonly names: readonly string[];
}

/** A signed reading of 113 bytes, and its receipt. */
export interface Receipted {
  readonly reading: Uint8Array;
  readonly receipt: Uint8Array;
}

function misplaced(region: number, { month, k }: Period): VeilgridError {
  return new VeilgridError("not-on-ledger", "the ledger's block of a period is not where its state says", {
    facts: { region, month, k },
    blame: "ledger",
  });
}

/** Judges kept receipts by a ledger alone: whose operator's word it is plays no part, every block's votes are verified. */
export class ReceiptCourt {
  readonly #view: LedgerView;
  readonly #blocks: CertifiedBlocks;
  readonly #memory: VerifiedSignatures | undefined;

  /** @param state a ledger's, with the leaves of closed months (see `withHistory`): receipts outlive them. */
  constructor(state: StateReader, memory?: VerifiedSignatures) {
    this.#view = new LedgerView(state);
    this.#blocks = new CertifiedBlocks({ view: this.#view, memory });
    this.#memory = memory;
  }

  /**
   * "the receipt convicts the voters of that block who acked it …: only the committed block acquits".
   * @throws VeilgridError `malformed`, `wrong-params`, `not-a-member`, `not-acked`, `bad-signature` for what is no receipt,
   * and so accuses nobody; what reading the ledger throws.
   */
  async judge(receipted: Receipted): Promise<ReceiptJudgement> {
    const { region, period } = placeOf(receipted);
    const consortium = await this.#blocks.consortium();
    const ruling = await this.#ruling(region, period);
    const params = ruling ?? (await this.#blocks.params(receiptVersion(receipted.receipt)));
    const entries = verifyReceipted(consortium, params, receipted, this.#memory);
    const place = { region, period, names: [] };
    if (ruling === undefined)
      return { ...place, verdict: "undecided", because: "no epoch on the ledger covers the period" };
    const block = await this.#block(region, period, params);
    if (block === undefined)
      return { ...place, verdict: "undecided", because: "the ledger has no block of the period yet" };
    const judged = judgeReceipt(receipted.reading, entries, block);
    if (judged.verdict === "convicted") {
      const names = judged.das.map((da) => params.da[da]?.msp ?? String(da));
      return {
        ...place,
        verdict: "convicted",
        because: "they acked the reading and voted for the block without it",
        names,
      };
    }
    const because =
      judged.by === "reading"
        ? "the committed block has the reading"
        : "the committed block has two others of its PRID";
    return { ...place, verdict: "acquitted", because };
  }

  /** The parameters that the epoch of a period names: those of another version rule nothing of it. */
  async #ruling(region: number, { month, k }: Period): Promise<Params | undefined> {
    const entries = await this.#view.epochs(region, month);
    const entry = entries.find((one) => one.k <= k && k < one.k + one.periods);
    if (entry === undefined) return undefined;
    const block = await this.#blocks.block(region, entry.number);
    const { header } = block ?? {};
    const fits = header?.kind === KIND.epoch && samePeriod(header.period, { month, k: entry.k });
    if (!fits) throw misplaced(region, { month, k });
    return this.#blocks.params(header.params);
  }

  async #block(region: number, period: Period, params: Params): Promise<ReceiptBlock | undefined> {
    const record = await this.#view.readings(region, period);
    if (record === undefined) return undefined;
    const block = await this.#blocks.block(region, record.number);
    const fits = block?.header.kind === KIND.readings && samePeriod(block.header.period, period);
    if (block === undefined || !fits || block.header.params !== params.version) throw misplaced(region, period);
    return { leaves: block.leaves, voters: await this.#voters(block, params) };
  }

  async #voters({ header, cbh }: CertifiedBlock, params: Params): Promise<number[]> {
    const cert = (await this.#view.header(header.region, header.number))?.cert ?? new Uint8Array();
    verifyVotes(await this.#blocks.consortium(), params, cert, { ...header, cbh }, this.#memory);
    return decodeVotes(cert, quorum(params.da.length)).map(({ body }) => body.da);
  }
}

/** @throws VeilgridError `malformed`. */
function placeOf({ reading }: Receipted): { readonly region: number; readonly period: Period } {
  if (reading.length === SIGNED_READING_BYTES) return readingCodec.decode(reading.subarray(0, READING_BYTES));
  throw new VeilgridError("malformed", `malformed signed reading: ${reading.length} bytes`, { blame: "peer" });
}
