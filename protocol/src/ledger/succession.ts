import { toHex } from "../bytes.js";
import { sha256 } from "../hash.js";
import type { VerifiedSignatures } from "../memory.js";
import { decodeParamsLeaf, type ParamsLeaf } from "../messages/params-leaf.js";
import type { Params } from "../messages/params.js";
import { verifyBody } from "../sig.js";
import { refusal, require } from "./refusal.js";

/** With fewer aggregators f is 0: none of them may fail. */
export const LEAST_AGGREGATORS = 4;

/** The keys that the version before did not have, in the order da, cc, kgcbp. */
export function newKeys(next: Params, before: Params): Uint8Array[] {
  const keys = ({ da, cc, kgcbp }: Params): Uint8Array[] => [...da, cc, kgcbp].map(({ key }) => key);
  const known = new Set(keys(before).map(toHex));
  return keys(next).filter((key) => !known.has(toHex(key)));
}

/**
 * Whether a parameter set may follow another one (PROTOCOL section 4, Setup): everything but who agreed to it.
 * @throws VeilgridError `wrong-version` (retry where a version between is missing), `wrong-params`,
 * `too-few-aggregators`.
 */
export function checkSuccession(next: Params, before: Params): void {
  const { version } = next;
  const due = before.version + 1;
  if (version !== due) throw refusal("wrong-version", "another version is due", { version, due }, version > due);
  // `channel` never changes; `periodSeconds` never changes.
  require(next.channel === before.channel, "wrong-params", "the channel never changes");
  require(next.periodSeconds === before.periodSeconds, "wrong-params", "periodSeconds never changes");
  // The mode may change only from `upfront` to `after-commit`.
  const backwards = before.release === "after-commit" && next.release === "upfront";
  require(!backwards, "wrong-params", "the release mode changes only from upfront to after-commit");
  // A later version has at least four DAs, or no fewer than the one before.
  const least = Math.min(LEAST_AGGREGATORS, before.da.length);
  require(next.da.length >= least, "too-few-aggregators", "too few aggregators are left", {
    aggregators: next.da.length,
    least,
  });
}

/**
 * A params leaf as the successor of `before`: "version + 1, … with a proof of possession by each new key". Who voted on
 * it is its block's certificate.
 * @throws VeilgridError as `checkSuccession`; `malformed`, `missing-possession`.
 */
export function checkParamsLeaf(
  consortium: Uint8Array,
  before: Params,
  leaf: Uint8Array,
  memory?: VerifiedSignatures,
): ParamsLeaf {
  const decoded = decodeParamsLeaf(leaf);
  const { params, bytes, possessions } = decoded;
  checkSuccession(params, before);
  // One possession signature for each key that the version before did not have, in the order da, cc, kgcbp.
  const keys = newKeys(params, before);
  const facts = { keys: keys.length, proofs: possessions.length };
  const enough = possessions.length === keys.length;
  require(enough, "missing-possession", "each new key takes one proof of possession", facts);
  const digest = sha256(bytes);
  keys.forEach((key, index) => {
    const proven = verifyBody("possession", consortium, digest, possessions[index] as Uint8Array, key, memory);
    require(proven, "missing-possession", "a proof of possession is false", { index });
  });
  return decoded;
}
