import { VeilgridError } from "@veilgrid/protocol";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { create } from "multiformats/hashes/digest";
import { sha256 } from "multiformats/hashes/sha2";
import type { ContentAddress } from "../ports/content.js";

/** CIDv1, raw codec, SHA-256, 32 bytes: what stands before the digest in the address of a single block. */
export const RAW_SHA256_PREFIX = Uint8Array.of(0x01, 0x55, 0x12, 0x20);

/** Codec of UnixFS nodes above the raw leaves (multicodec dag-pb). */
const DAG_PB = 0x70;

/** An address of the kind that this store makes: CIDv1, SHA-256, a raw block or a UnixFS tree. */
function isOurs(cid: CID): boolean {
  const codec: number = cid.code;
  return cid.version === 1 && cid.multihash.code === sha256.code && (codec === raw.code || codec === DAG_PB);
}

/** @throws VeilgridError `bad-cid` for bytes that are no CIDv1 with SHA-256 over a raw block or a UnixFS tree. */
export function parseCid(bytes: Uint8Array): CID {
  let cid: CID | undefined;
  try {
    cid = CID.decode(bytes);
  } catch (cause) {
    throw new VeilgridError("bad-cid", "the bytes are no content address", { blame: "peer", cause });
  }
  if (isOurs(cid)) return cid;
  throw new VeilgridError("bad-cid", "a content address is a CIDv1 with SHA-256", {
    facts: { cid: cid.toString(), version: cid.version, codec: cid.code, hash: cid.multihash.code },
    blame: "peer",
  });
}

/** The two forms of an address. */
export function addressOf(cid: CID): ContentAddress {
  return { cid: cid.bytes.slice(), text: cid.toString() };
}

/** The address that a SHA-256 digest is as a single raw block, so that `sha256sum` alone can check a bill. */
export function rawAddress(digest: Uint8Array): ContentAddress {
  return addressOf(CID.createV1(raw.code, create(sha256.code, digest)));
}

/** What people write ("bafkrei…") for an address in bytes. @throws VeilgridError `bad-cid`. */
export function cidText(bytes: Uint8Array): string {
  return parseCid(bytes).toString();
}
