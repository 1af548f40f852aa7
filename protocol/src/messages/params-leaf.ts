import { Reader, concat } from "../bytes.js";
import { paramsCodec, readParams, type Params } from "./params.js";
import { unfit } from "./struct.js";
import { elements } from "./vectors.js";

const SIG_BYTES = 64;

/** The leaf of a params block: the set, its bytes, and a possession signature (64 bytes) for each new key in order. */
export interface ParamsLeaf {
  readonly params: Params;
  readonly bytes: Uint8Array;
  readonly possessions: readonly Uint8Array[];
}

/**
 * "A params leaf is Params ‖ one possession signature for each key that the version before did not have, in the order
 * da, cc, kgcbp". `paramsBytes` is the encoded set.
 * @throws VeilgridError `out-of-range` where a signature is not 64 bytes.
 */
export function encodeParamsLeaf(paramsBytes: Uint8Array, possessions: readonly Uint8Array[]): Uint8Array {
  if (possessions.some((sig) => sig.length !== SIG_BYTES)) throw unfit("params leaf", "a signature is not 64 bytes");
  return concat(paramsBytes, ...possessions);
}

/**
 * Reads a params leaf. How many possessions it must have only the version before tells: that is the ledger's rule.
 * @throws VeilgridError `malformed`
 */
export function decodeParamsLeaf(leaf: Uint8Array): ParamsLeaf {
  const reader = new Reader(leaf, "params leaf");
  const { da } = readParams(reader);
  const bytes = leaf.subarray(0, leaf.length - reader.left);
  if (reader.left % SIG_BYTES !== 0) throw reader.refuse("its signatures are not 64 bytes each");
  const possessions = elements(reader.rest(), SIG_BYTES);
  if (possessions.length > da.length + 2) throw reader.refuse("more signatures than keys");
  return { params: paramsCodec.decode(bytes), bytes, possessions };
}
