import { decodeTransaction } from "@veilgrid/gateway";
import { KIND, MASK_STATUS, decodeLeaf, equalBytes, maskCodec, type Mask } from "@veilgrid/protocol";
import type { Message } from "../network.js";
import type { Accuse } from "./violation.js";

/** What KGCBP releases: one mask sum for a region-period, ever. */
export class Releases {
  readonly #accuse: Accuse;
  readonly #found = new Map<string, { readonly body: Uint8Array; readonly mask: Mask }>();

  constructor(accuse: Accuse) {
    this.#accuse = accuse;
  }

  /** The masks that were signed so far. */
  get all(): readonly Mask[] {
    return [...this.#found.values()].map(({ mask }) => mask);
  }

  /** A message of KGCBP's. */
  hear({ method, direction, bytes }: Message): void {
    if (method !== "transaction" || direction !== "request") return;
    const { kind, leaf } = decodeTransaction(bytes);
    if (kind !== KIND.masks) return;
    const { body } = decodeLeaf(leaf);
    const mask = maskCodec.decode(body);
    const place = `region ${mask.region}, ${mask.period.k}`;
    const before = this.#found.get(place);
    if (before !== undefined && !equalBytes(before.body, body)) {
      this.#accuse("one-release", `${place} has two releases`);
    }
    if (mask.status !== MASK_STATUS.released && mask.z !== 0n)
      this.#accuse("closed-sum", `${place} tells a sum of too few`);
    this.#found.set(place, before ?? { body, mask });
  }
}
