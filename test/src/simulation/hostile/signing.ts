import {
  blockHash,
  encodeSigned,
  headerCodec,
  proposalCodec,
  signBody,
  signStruct,
  type Codec,
  type Header,
  type Proposal,
  type SigKind,
} from "@veilgrid/protocol";
import { secretOf, type Consortium } from "../consortium.js";

/** The pen of a hostile aggregator: it signs what it likes, with its own key alone. */
export class Pen {
  readonly da: number;
  readonly consortium: Consortium;
  readonly #secret: Uint8Array;

  constructor(da: number, consortium: Consortium) {
    this.da = da;
    this.consortium = consortium;
    this.#secret = secretOf(`Da${da}`);
  }

  /** Body ‖ sig. */
  sign<T>(kind: SigKind, codec: Codec<T>, body: T): Uint8Array {
    return encodeSigned(signStruct(kind, this.consortium.id, codec, body, this.#secret));
  }

  /** A proposal like another one, with other fields in its header. */
  proposal(like: Proposal, change: Partial<Header>): Uint8Array {
    const header = { ...like.header, ...change };
    const cbh = blockHash(headerCodec.encode(header));
    const scbh = signBody("header", this.consortium.id, cbh, this.#secret);
    return this.sign("proposal", proposalCodec, { ...like, header, scbh });
  }
}
