import {
  KIND,
  NO_PERIOD,
  billsCodec,
  closeCodec,
  encodeLeaf,
  encodeParamsLeaf,
  maskCodec,
  newKeys,
  paramsCodec,
  priceCodec,
  sha256,
  signBody,
  verdictCodec,
  type Bills,
  type Close,
  type Codec,
  type Mask,
  type Params,
  type Price,
  type SigKind,
  type Verdict,
} from "@veilgrid/protocol";
import type { Draft } from "./blocks.js";
import { secretOf } from "./members.js";

/** Everything of a draft but when. */
export type Timeless = Omit<Draft, "ts">;

/** Who issues what, under which version of the parameter set. */
export interface Issuing {
  readonly consortium: Uint8Array;
  readonly params: Params;
  /** Key of whoever signs in the issuer's stead. */
  readonly issuer?: Uint8Array;
}

/** A body with its issuer's signature: the content of a leaf. */
export function issuedLeaf(consortium: Uint8Array, kind: SigKind, body: Uint8Array, key: Uint8Array): Uint8Array {
  return encodeLeaf(body, signBody(kind, consortium, body, secretOf(key)));
}

/** A block of chain 0 with these leaves. */
export function chain0Draft(kind: number, params: number, leaves: readonly Uint8Array[]): Timeless {
  return { region: 0, kind, params, period: NO_PERIOD, aggFault: false, leaves };
}

function drafting<T>(kind: number, sig: SigKind, codec: Codec<T>, by: "cc" | "kgcbp") {
  return ({ consortium, params, issuer = params[by].key }: Issuing, bodies: readonly T[]): Timeless => {
    const leaves = bodies.map((body) => issuedLeaf(consortium, sig, codec.encode(body), issuer));
    return chain0Draft(kind, params.version, leaves);
  };
}

/** Blocks of chain 0, with their leaves in the order of the bodies. */
export const masksDraft = drafting<Mask>(KIND.masks, "mask", maskCodec, "kgcbp");
export const pricesDraft = drafting<Price>(KIND.prices, "price", priceCodec, "cc");
export const billsDraft = drafting<Bills>(KIND.bills, "bills", billsCodec, "kgcbp");
export const verdictsDraft = drafting<Verdict>(KIND.verdicts, "verdict", verdictCodec, "kgcbp");
export const closeDraft = drafting<Close>(KIND.close, "close", closeCodec, "kgcbp");

/** The block that puts `next` in force after `params`, with a proof of possession by each new key. */
export function paramsDraft({ consortium, params }: Issuing, next: Params): Timeless {
  const bytes = paramsCodec.encode(next);
  const proofs = newKeys(next, params).map((key) => signBody("possession", consortium, sha256(bytes), secretOf(key)));
  return chain0Draft(KIND.params, params.version, [encodeParamsLeaf(bytes, proofs)]);
}
