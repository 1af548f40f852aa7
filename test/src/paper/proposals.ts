import {
  SIG_BYTES,
  blockCodec,
  concat,
  decodeSigned,
  encodeCertificate,
  encodeSigned,
  proposalCodec,
  readingHash,
  signStruct,
  voteCodec,
  type Signed,
  type Vote,
} from "@veilgrid/protocol";
import { decodeResponse } from "@veilgrid/gateway";
import type { SealedBlock } from "../consortium/blocks.js";
import { secretOf } from "../consortium/members.js";
import type { Aggregators, Asked } from "./aggregators.js";

/** The leader's signed proposal of a readings block of region 1. */
export function proposalOf(aggregators: Aggregators, { header, block }: SealedBlock): Uint8Array {
  const { scbh, leaves } = blockCodec.decode(block);
  const readings = aggregators.signed({ k: header.period.k }, leaves).map((reading) => readingHash(reading));
  const proposal = { header, scbh, readings };
  return encodeSigned(signStruct("proposal", header.consortium, proposalCodec, proposal, secretOf(header.leader)));
}

/** The votes in aggregators' answers. */
export function votesIn(asked: readonly Asked[]): Signed<Vote>[] {
  return asked.flatMap(({ response }) => {
    const decoded = response && decodeResponse(response);
    return decoded?.tag === "accepted" && decoded.body.length > SIG_BYTES
      ? [decodeSigned(voteCodec, decoded.body)]
      : [];
  });
}

/** A sealed block with these votes instead of its own. */
export function withVotes(sealed: SealedBlock, votes: readonly Signed<Vote>[]): SealedBlock {
  return { ...sealed, cert: encodeCertificate(votes) };
}

/** What a DA answers to "bodies": the signed readings that it hands out. */
export function encodeBodies(readings: readonly Uint8Array[]): Uint8Array {
  return concat(Uint8Array.of(1), ...readings);
}
