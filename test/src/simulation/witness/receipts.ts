import {
  READING_BYTES,
  receiptVersion,
  SIGNED_READING_BYTES,
  isVeilgridError,
  readingCodec,
  toHex,
  verifyReceiptOf,
  type Params,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { Message } from "../network.js";
import { acceptedBody } from "./accepted.js";
import type { Accuse } from "./violation.js";

/** A reading that somebody was promised to find on the ledger. */
export interface Receipted {
  /** Reading ‖ sig, 113 bytes. */
  readonly reading: Uint8Array;
  readonly region: number;
  readonly month: number;
  readonly k: number;
}

/** All receipts that honest aggregators gave: each must be one, and what they promise must be on the ledger in the end. */
export class Receipts {
  readonly #accuse: Accuse;
  readonly #options: {
    readonly consortium: Uint8Array;
    readonly versions: () => readonly Params[];
    readonly memory: VerifiedSignatures;
  };
  readonly #found = new Map<string, Receipted>();

  constructor(
    accuse: Accuse,
    options: {
      readonly consortium: Uint8Array;
      readonly versions: () => readonly Params[];
      readonly memory: VerifiedSignatures;
    },
  ) {
    this.#accuse = accuse;
    this.#options = options;
  }

  /** What readings have a receipt so far. */
  get all(): readonly Receipted[] {
    return [...this.#found.values()];
  }

  /** A message of an honest aggregator. */
  hear({ from, to, method, direction, bytes, asked }: Message): void {
    if (method !== "reading" || direction !== "response" || asked?.length !== SIGNED_READING_BYTES) return;
    const receipt = acceptedBody(bytes);
    if (receipt !== undefined) this.#take(asked, receipt, `${from} to ${to}`);
  }

  #take(reading: Uint8Array, receipt: Uint8Array, who: string): void {
    const { consortium, versions, memory } = this.#options;
    const [first] = versions() as [Params];
    try {
      const params = versions()[receiptVersion(receipt) - 1] ?? first;
      verifyReceiptOf(consortium, params, receipt, reading, memory);
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      this.#accuse("receipt-of-quorum", `a receipt of ${who} is none: ${error.code}`);
      return;
    }
    const { region, period } = readingCodec.decode(reading.subarray(0, READING_BYTES), first.periodSeconds);
    this.#found.set(toHex(reading), { reading, region, ...period });
  }
}
