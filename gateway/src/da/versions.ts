import {
  decodeParamsWish,
  encodeParamsProofs,
  paramsProof,
  type LedgerView,
  type ParamsProof,
} from "@veilgrid/protocol";
import { encodeAccepted } from "../transport/envelopes.js";

/** How many versions one answer has at most: of the biggest sets these are some 400 KB. Who lacks more asks again. */
const MOST_VERSIONS = 16;

/**
 * Answers "params": the params blocks after the version that the asker knows, with the votes that prove them.
 * @throws VeilgridError `malformed`.
 */
export async function serveVersions(view: LedgerView, request: Uint8Array): Promise<Uint8Array> {
  const known = decodeParamsWish(request);
  const proofs: ParamsProof[] = [];
  for (let version = known + 1; version <= known + MOST_VERSIONS; version += 1) {
    const proof = await paramsProof(view, version);
    if (proof === undefined) break;
    proofs.push(proof);
  }
  return encodeAccepted(encodeParamsProofs(proofs));
}
