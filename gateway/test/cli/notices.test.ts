import { expect } from "chai";
import { ledgerNotices } from "../../src/cli/ledger-notices.js";

describe("what a command says of its ledger", () => {
  let time = 0;
  let lines: string[] = [];
  const log = ledgerNotices(
    (line) => lines.push(line),
    () => time,
  );

  beforeEach(() => {
    lines = [];
    time += 1_000_000;
  });

  it("is which gateway does not answer, or what it answers, in one line", () => {
    log("warn", "gateway-failed", {
      phase: "endorse",
      gateway: "DA2MSP",
      kind: "timeout",
      said: "4 DEADLINE_EXCEEDED",
    });
    log("warn", "gateway-failed", { phase: "submit", gateway: "DA1MSP", kind: "unavailable", said: "14\nmore" });
    log("warn", "gateway-failed", { phase: "commit", gateway: "DA1MSP", kind: "tls", said: "x".repeat(1000) });
    expect(lines).to.deep.equal([
      "DA2MSP's gateway does not answer (endorse): it is asked last for a minute",
      "DA1MSP's gateway fails (submit): it is asked last for a minute: 14",
      `DA1MSP's gateway fails (commit): it is asked last for a minute: ${"x".repeat(120)}…`,
    ]);
  });

  it("is what made a transaction slow", () => {
    log("warn", "endorsed-slowly", { gateway: "DA0MSP", without: "DA3MSP", seconds: "5.0" });
    log("warn", "committed-slowly", { txId: "ab".repeat(32), seconds: "11.3" });
    log("warn", "transaction-unsettled", { txId: "ab".repeat(32), phase: "commit", gateway: "DA0MSP" });
    expect(lines).to.deep.equal([
      "an endorsement took 5.0 s and came without DA3MSP: asked last for a minute",
      "a transaction took 11.3 s to be committed: orderers may be away",
      "transaction abababababababab is not known to be committed (commit at DA0MSP): it is looked up and sent again",
    ]);
  });

  it("is what was left by an earlier process", () => {
    const txId = "cd".repeat(32);
    log("info", "transaction-settled", { txId, caller: "CCMSP", validation: "VALID", blockNumber: "7" });
    log("warn", "transaction-unsettled", { txId, caller: "CCMSP", code: "ledger-unavailable" });
    expect(lines).to.deep.equal([
      "transaction cdcdcdcdcdcdcdcd of an earlier process is in block 7: VALID",
      "transaction cdcdcdcdcdcdcdcd is not known to be committed (ledger-unavailable): it is looked up and sent again",
    ]);
  });

  it("is whose blocks are followed, and who differs", () => {
    const facts = { source: "KGCBPMSP", code: "ledger-stalled", why: "", next: "DA0MSP" };
    log("warn", "ledger-source-left", facts);
    log("warn", "ledger-source-left", { ...facts, next: "KGCBPMSP" });
    log("info", "ledger-source-left", { ...facts, source: "DA0MSP", code: "preferred", next: "KGCBPMSP" });
    log("warn", "organisation-differs", { organisations: "DA3MSP", txId: "ef".repeat(32) });
    log("error", "replica-behind", { txId: "ef".repeat(32), blockNumber: "9", why: "stalled" });
    expect(lines).to.deep.equal([
      "KGCBPMSP's peer gives no blocks (ledger-stalled): DA0MSP's is followed",
      "KGCBPMSP's peer gives no blocks (ledger-stalled): it is asked again",
      "KGCBPMSP's peer is followed again",
      "DA3MSP differs from the others on transaction efefefefefefefef",
      "block 9 is committed, and no peer gives it yet",
    ]);
  });

  it("is said once a minute, and nothing that a role logs", () => {
    const facts = { phase: "endorse", gateway: "DA2MSP", kind: "timeout", said: "" };
    for (const milliseconds of [0, 30_000, 29_999, 1]) {
      time += milliseconds;
      log("warn", "gateway-failed", facts);
    }
    log("warn", "wrong-vote", { da: 1 });
    log("info", "term-entered");
    expect(lines).to.have.length(2);
  });
});
