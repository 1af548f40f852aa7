import { utf8 } from "@veilgrid/protocol";
import { expect } from "chai";
import { Audit, type AuditReport } from "../../src/audit/audit.js";
import { decodeBlock } from "../../src/fabric/block.js";
import { MemoryStore } from "../../src/store/memory.js";
import { REAL_BLOCKS } from "./channel.js";
import { forgeChain, txId, type Forged } from "./forge.js";

async function audited(blocks: readonly Uint8Array[]): Promise<AuditReport> {
  const audit = new Audit(new MemoryStore());
  for (const raw of blocks) await audit.add(decodeBlock(raw, "veilgrid"));
  return audit.report;
}

async function findings(forged: Forged): Promise<string[]> {
  const blocks = forgeChain([[], [{ txId: txId(7), ...forged }]]).map(({ raw }) => raw);
  return (await audited(blocks)).findings.map(({ block, code }) => `${block}:${code}`);
}

describe("an audit of a channel", () => {
  it("finds nothing wrong with a real set-up, one that came too late, and a query that was ordered", async () => {
    const { findings: found, ...counts } = await audited(REAL_BLOCKS);
    expect(found).to.deep.equal([]);
    expect(counts).to.deep.equal({ blocks: 9, transactions: 3, invalid: 1, elections: 0, readings: 0, kinds: {} });
  });

  it("finds blocks that are left out", async () => {
    const { findings: found } = await audited(REAL_BLOCKS.filter((_, number) => number !== 3));
    expect(found[0]).to.include({ block: 4n, code: "missing-block" });
  });

  it("finds what any function wrote that is none of the protocol's, be it another chaincode's", async () => {
    const writes = { veilgrid: [["params", utf8("x")]] as const };
    expect(await findings({ args: ["query"] })).to.deep.equal([]);
    expect(await findings({ args: ["query"], writes })).to.deep.equal(["1:unknown-transaction"]);
    expect(await findings({ args: ["query"], event: ["block", utf8("x")] })).to.deep.equal(["1:unknown-transaction"]);
    expect(await findings({ chaincode: "other", args: ["submitBlock"], writes })).to.deep.equal([
      "1:unknown-transaction",
    ]);
  });

  it("finds a function that should have written and did not", async () => {
    expect(await findings({ args: ["veilgrid:setup"] })).to.deep.equal(["1:missing-bytes"]);
    expect(await findings({ args: ["submitBlock", "00"] })).to.deep.equal(["1:missing-bytes"]);
  });
});
