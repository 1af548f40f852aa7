import { toHex } from "../../bytes.js";
import { sha256 } from "../../hash.js";
import { decodeParamsLeaf, type ParamsLeaf } from "../../messages/params-leaf.js";
import type { Params } from "../../messages/params.js";
import { verifyBody } from "../../sig.js";
import { stateKey } from "../keys.js";
import { u16Record } from "../records.js";
import { refusal, require } from "../refusal.js";
import type { Rule, RuleInput } from "./rule.js";

/**
 * A later version of the parameter set: version + 1, voted by Q of the old set, with a proof of possession by each
 * new key; in force from its commit (PROTOCOL section 4, Setup).
 */
export const paramsRule: Rule = (input) => {
  const { block, current } = input;
  const leaf = decodeParamsLeaf(block.leaves[0] as Uint8Array);
  const { params, bytes } = leaf;
  const { version } = params;
  const due = current.version + 1;
  if (version !== due) throw refusal("wrong-version", "another version is due", { version, due }, version > due);
  checkConstants(params, current);
  checkPossessions(input, leaf);
  const writes = [
    { key: stateKey.params(version), value: bytes },
    { key: stateKey.paramsVersion, value: u16Record.encode(version) },
  ];
  return Promise.resolve({ writes });
};

/** One possession signature for each key that the version before did not have, in the order da, cc, kgcbp. */
function checkPossessions(
  { current, consortium, memory }: RuleInput,
  { params, bytes, possessions }: ParamsLeaf,
): void {
  const keys = newKeys(params, current);
  const facts = { keys: keys.length, proofs: possessions.length };
  require(possessions.length ===
    keys.length, "missing-possession", "each new key takes one proof of possession", facts);
  const digest = sha256(bytes);
  keys.forEach((key, index) => {
    const proven = verifyBody("possession", consortium, digest, possessions[index] as Uint8Array, key, memory);
    require(proven, "missing-possession", "a proof of possession is false", { index });
  });
}

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
