import { stateKey } from "../keys.js";
import { u16Record, u64Record } from "../records.js";
import { checkParamsLeaf } from "../succession.js";
import type { Rule } from "./rule.js";

/**
 * A later version of the parameter set: version + 1, voted by Q of the old set, with a proof of possession by each
 * new key; in force from its commit (PROTOCOL section 4, Setup).
 */
export const paramsRule: Rule = ({ block, current, consortium, memory }) => {
  const { params, bytes } = checkParamsLeaf(consortium, current, block.leaves[0] as Uint8Array, memory);
  const { version } = params;
  const writes = [
    { key: stateKey.params(version), value: bytes },
    // Where its votes are: what proves it to whoever knows the version before.
    { key: stateKey.paramsBlock(version), value: u64Record.encode(block.header.number) },
    { key: stateKey.paramsVersion, value: u16Record.encode(version) },
  ];
  return Promise.resolve({ writes });
};
