import { toHex } from "../../bytes.js";
import { sha256 } from "../../hash.js";
import { decodeParamsLeaf } from "../../messages/params-leaf.js";
import { paramsCodec, type Params } from "../../messages/params.js";
import { verifyBody } from "../../sig.js";
import { stateKey } from "../keys.js";
import { u16Record } from "../records.js";
import { require } from "../refusal.js";
import type { Rule } from "./rule.js";

/**
 * A later version of the parameter set: version + 1, voted by Q of the old set, with a proof of possession by each
 * new key; in force from its commit (PROTOCOL section 4, Setup).
 */
export const paramsRule: Rule = (input) => {
  const { block, current, consortium, memory } = input;
  const { params, possessions } = decodeParamsLeaf(block.leaves[0] as Uint8Array);
  require(params.version === current.version + 1, "wrong-version", "another version is due", {
    version: params.version,
  });
  checkConstants(params, current);
  const bytes = paramsCodec.encode(params);
  const digest = sha256(bytes);
  const fresh = newKeys(params, current);
  // One possession signature for each key that the version before did not have, in the order da, cc, kgcbp.
  require(possessions.length ===
    fresh.length, "missing-possession", "a new key has no proof of possession, or an old one has", {
    keys: fresh.length,
    proofs: possessions.length,
  });
  fresh.forEach((key, index) => {
    const proven = verifyBody("possession", consortium, digest, possessions[index] as Uint8Array, key, memory);
    require(proven, "missing-possession", "a proof of possession is false", { index });
  });
  return Promise.resolve({
    writes: [
      { key: stateKey.params(params.version), value: bytes },
      { key: stateKey.paramsVersion, value: u16Record.encode(params.version) },
    ],
  });
};

function checkConstants(next: Params, before: Params): void {
  // `channel` never changes; `periodSeconds` never changes.
  require(next.channel === before.channel, "wrong-params", "the channel never changes");
  require(next.periodSeconds === before.periodSeconds, "wrong-params", "periodSeconds never changes");
  // The mode may change only from `upfront` to `after-commit`.
  const backwards = before.release === "after-commit" && next.release === "upfront";
  require(!backwards, "wrong-params", "the release mode changes only from upfront to after-commit");
}

/** The keys that the version before did not have, in the order da, cc, kgcbp. */
export function newKeys(next: Params, before: Params): Uint8Array[] {
  const keys = ({ da, cc, kgcbp }: Params): Uint8Array[] => [...da, cc, kgcbp].map(({ key }) => key);
  const known = new Set(keys(before).map(toHex));
  return keys(next).filter((key) => !known.has(toHex(key)));
}
