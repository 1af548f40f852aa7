import {
  ackCodec,
  answerCodec,
  billsCodec,
  blockCodec,
  closeCodec,
  decodeElections,
  decodeParamsLeaf,
  decodeReceipt,
  decodeTimeouts,
  decodeVotes,
  deliveryCodec,
  electionCodec,
  encodeCertificate,
  encodeParamsLeaf,
  encodeReceipt,
  epochCodec,
  headerCodec,
  incompleteCodec,
  maskCodec,
  paramsCodec,
  priceCodec,
  proposalCodec,
  readingCodec,
  timeoutCodec,
  verdictCodec,
  voteCodec,
  type StructCodec,
} from "../src/index.js";
import { params } from "./raw.js";

/** Decodes and encodes again. @throws VeilgridError `malformed` */
type Recode = (bytes: Uint8Array) => Uint8Array;

function recode<T>(codec: StructCodec<T>, periodSeconds?: number): Recode {
  return (bytes) => codec.encode(codec.decode(bytes, periodSeconds));
}

const PLAIN = paramsCodec.decode(params());
const UPFRONT_SUM = paramsCodec.decode(params({ release: 1, completeness: 1 }));
/** Of four DAs. */
const QUORUM = 3;

/** Every decoder by the name that the vector files use. */
export const DECODERS: Readonly<Record<string, Recode>> = {
  params: recode(paramsCodec),
  "params-leaf": (bytes) => {
    const leaf = decodeParamsLeaf(bytes);
    return encodeParamsLeaf(leaf.bytes, leaf.possessions);
  },
  epoch: recode(epochCodec(PLAIN)),
  "epoch-upfront-sum": recode(epochCodec(UPFRONT_SUM)),
  reading: recode(readingCodec),
  "reading-1800": recode(readingCodec, 1800),
  ack: recode(ackCodec),
  receipt: (bytes) => encodeReceipt(decodeReceipt(bytes, QUORUM)),
  answer: recode(answerCodec),
  header: recode(headerCodec),
  block: recode(blockCodec),
  "block-1800": recode(blockCodec, 1800),
  proposal: recode(proposalCodec),
  incomplete: recode(incompleteCodec),
  vote: recode(voteCodec),
  timeout: recode(timeoutCodec),
  election: recode(electionCodec),
  "vote-certificate": (bytes) => encodeCertificate(decodeVotes(bytes, QUORUM)),
  "timeout-certificate": (bytes) => encodeCertificate(decodeTimeouts(bytes, QUORUM)),
  "election-certificate": (bytes) => encodeCertificate(decodeElections(bytes, QUORUM)),
  mask: recode(maskCodec),
  price: recode(priceCodec),
  bills: recode(billsCodec),
  verdict: recode(verdictCodec),
  close: recode(closeCodec),
  delivery: recode(deliveryCodec),
  "delivery-1800": recode(deliveryCodec, 1800),
};
