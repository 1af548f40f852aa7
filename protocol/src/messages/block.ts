import { malformed } from "../bytes.js";
import {
  headerRule,
  readLeaves,
  readSignedHeader,
  writeLeaves,
  writeSignedHeader,
  type SignedHeader,
} from "./block-parts.js";
import { leavesFlaw } from "./leaf-order.js";
import { READING_LEAF_BYTES } from "./reading.js";
import { structCodec, type StructCodec } from "./struct.js";

/** A block: header, the leader's signature, and its leaves in the order of the Merkle tree. */
export interface Block extends SignedHeader {
  /** Readings: 104 bytes each; else body ‖ issuer's signature (a params leaf: ParamsLeaf). */
  readonly leaves: readonly Uint8Array[];
}

/** A leaf of a readings block: v, Region and Period are the header's. */
export interface ReadingLeaf {
  /** 32 bytes. */
  readonly prid: Uint8Array;
  /** Masked half in Z_2^64. */
  readonly rc: bigint;
  /** 64 bytes. */
  readonly sig: Uint8Array;
}

/**
 * The codec of Block. It holds the leaves to their own encodings, their order and their number; of an epoch it reads the
 * fixed fields only (the rest needs the Params that it names). The Merkle root and all signatures are the voter's to check.
 * `encode` throws `malformed` where a leaf is none of the header's kind.
 */
export const blockCodec: StructCodec<Block> = structCodec<Block>({
  what: "block",
  write(to, v) {
    writeSignedHeader(to, v);
    writeLeaves(to, v.header, v.leaves);
  },
  read(from) {
    const front = readSignedHeader(from);
    return { ...front, leaves: readLeaves(from, front.header) };
  },
  rules: [headerRule, ({ leaves, header }, periodSeconds) => leavesFlaw(leaves, header, periodSeconds)],
});

/** Reads `prid ‖ rc ‖ sig`, with views of the leaf. @throws VeilgridError `malformed` unless it is 104 bytes. */
export function decodeReadingLeaf(leaf: Uint8Array): ReadingLeaf {
  if (leaf.length !== READING_LEAF_BYTES) throw malformed("reading leaf", `${leaf.length} bytes`);
  const rc = new DataView(leaf.buffer, leaf.byteOffset).getBigUint64(32);
  return { prid: leaf.subarray(0, 32), rc, sig: leaf.subarray(40) };
}
