import type { Call, LedgerClient } from "@veilgrid/gateway";
import { SIG_BYTES, VOTE_BYTES, checkBlock, concat, headerCodec, stateKey, HEADER_BYTES } from "@veilgrid/protocol";
import { AS_IT_IS, type Plan } from "../plan.js";
import { aggregatorOf } from "../roles.js";
import { rules, type Rules } from "../rule-ledger.js";

const PREFIX_BYTES = HEADER_BYTES + SIG_BYTES;

/** A contract that takes blocks by one vote less than Q. */
const lenient: Rules = async (view, call, memory) => {
  if (call.name !== "submitBlock") return rules(view, call, memory);
  const { block: bytes, cert } = call.transient as Readonly<Record<"block" | "cert", Uint8Array>>;
  const { block, writes } = await checkBlock(view, bytes, memory);
  const { region, number, count } = block.header;
  const body = { key: stateKey.body(region, number), value: bytes.slice(PREFIX_BYTES) };
  const header = { key: stateKey.header(region, number), value: concat(bytes.subarray(0, PREFIX_BYTES), cert) };
  return {
    writes: [header, ...(count === 0 ? [] : [body]), ...writes],
    event: { name: "block", payload: headerCodec.encode(block.header) },
  };
};

/** Blocks are submitted with one vote less than Q. */
function short(ledger: LedgerClient): LedgerClient {
  const cut = (call: Call): Call => {
    const cert = call.transient?.cert;
    if (call.name !== "submitBlock" || cert === undefined) return call;
    return { ...call, transient: { ...call.transient, cert: cert.slice(0, -(VOTE_BYTES + SIG_BYTES)) } };
  };
  return { submit: (call) => ledger.submit(cut(call)), evaluate: (call) => ledger.evaluate(call) };
}

/** The quorum of blocks is one too small, with those who submit them and in the contract. */
export const quorumTooSmall: Plan = {
  ...AS_IT_IS,
  aggregator: (isHostile) =>
    isHostile
      ? AS_IT_IS.aggregator(true)
      : ({ da, modules }) => aggregatorOf(da, { ...modules, ledger: short(modules.ledger) }),
  rules: lenient,
};
