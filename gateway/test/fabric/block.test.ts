import { concat, toHex, utf8 } from "@veilgrid/protocol";
import { expect } from "chai";
import { decodeBlock } from "../../src/fabric/block.js";
import type { LedgerTransaction } from "../../src/ports/ledger.js";
import { REAL_BLOCKS } from "./channel.js";
import { field, forgeBlock, forgeEnvelope, forgeHeaders, forgeTransaction, txId, type Forged } from "./forge.js";

const CHAINCODE = "veilgrid";
const ZERO = new Uint8Array(32);

function decode(envelopes: readonly Uint8Array[], codes?: readonly number[]): readonly LedgerTransaction[] {
  const { number, transactions } = decodeBlock(forgeBlock(5, ZERO, envelopes, codes).raw, CHAINCODE);
  expect(number).to.equal(5n);
  return transactions;
}

function only(forged: Forged): LedgerTransaction {
  const [transaction, ...more] = decode([forgeEnvelope(forged)]);
  expect(more).to.deep.equal([]);
  return transaction as LedgerTransaction;
}

describe("the transactions in a block", () => {
  it("are those of a real set-up, of which one came too late", () => {
    const { number, transactions } = decodeBlock(REAL_BLOCKS[7] as Uint8Array, CHAINCODE);
    expect(number).to.equal(7n);
    const [first, second] = transactions as [LedgerTransaction, LedgerTransaction];
    expect(transactions).to.have.length(2);
    expect(first.txId).to.equal("a81342666607b1fe393fed702fbb3616a62ac3fa379b3a921f254cb047181cc3");
    expect(first).to.deep.include({ caller: "KGCBPMSP", call: { name: "setup", args: [] }, validation: "VALID" });
    expect(first.writes.map(({ key, value }) => [key, value?.length])).to.deep.equal([
      ["consortium", 32],
      ["params", 2],
      ["params/00001", 282],
    ]);
    const consortium = toHex((first.writes[0] as { value: Uint8Array }).value);
    expect(first.event?.name).to.equal("setup");
    expect(toHex(first.event?.payload as Uint8Array)).to.equal(consortium);
    expect(second).to.deep.include({ validation: "MVCC_READ_CONFLICT", writes: first.writes });
    expect(second.txId).not.to.equal(first.txId);
  });

  it("are not the configurations nor those of the lifecycle", () => {
    const counts = REAL_BLOCKS.map((raw) => decodeBlock(raw, CHAINCODE).transactions.length);
    expect(counts).to.deep.equal([0, 0, 0, 0, 0, 0, 0, 2, 1]);
    expect(decodeBlock(REAL_BLOCKS[6] as Uint8Array, "_lifecycle").transactions[0]?.call.name).to.equal(
      "CommitChaincodeDefinition",
    );
  });

  it("have their call, caller, writes in order and event", () => {
    const writes = {
      veilgrid: [
        ["é", utf8("3")],
        ["z", utf8("2")],
        ["a", utf8("1")],
      ] as const,
      other: [["a"]] as const,
    };
    expect(only({ args: ["Notes:put", "k", ""], writes, event: ["put", utf8("p")] })).to.deep.equal({
      txId: txId(1),
      caller: "DA0MSP",
      call: { name: "Notes:put", args: ["k", ""] },
      writes: [
        { key: "a", value: utf8("1") },
        { key: "z", value: utf8("2") },
        { key: "é", value: utf8("3") },
      ],
      event: { name: "put", payload: utf8("p") },
      validation: "VALID",
    });
  });

  it("delete a key where they write nothing to it, and write each key once", () => {
    const writes = { veilgrid: [["k", utf8("1")], ["gone"], ["empty", new Uint8Array()], ["k", utf8("2")]] as const };
    expect(only({ writes }).writes).to.deep.equal([
      { key: "empty", value: undefined },
      { key: "gone", value: undefined },
      { key: "k", value: utf8("2") },
    ]);
  });

  it("are also those by which another chaincode has ours write", () => {
    const chaincode = "other";
    const forged = { chaincode, args: ["submitBlock", "x"], event: ["block", utf8("not ours")] as const };
    expect(decode([forgeEnvelope({ ...forged, writes: { other: [["k", utf8("1")]] } })])).to.deep.equal([]);
    const transaction = only({ ...forged, writes: { veilgrid: [["k", utf8("1")]] } });
    expect(transaction.call).to.deep.equal({ name: "other/submitBlock", args: ["x"] });
    expect(transaction.writes).to.deep.equal([{ key: "k", value: utf8("1") }]);
    expect(transaction).not.to.have.property("event");
  });

  it("have Fabric's names for verdicts", () => {
    const envelopes = [0, 4, 10, 11, 12, 255, 77].map((_, i) => forgeEnvelope({ txId: txId(i) }));
    expect(decode(envelopes, [0, 4, 10, 11, 12, 255, 77]).map(({ validation }) => validation)).to.deep.equal([
      "VALID",
      "BAD_CREATOR_SIGNATURE",
      "ENDORSEMENT_POLICY_FAILURE",
      "MVCC_READ_CONFLICT",
      "PHANTOM_READ_CONFLICT",
      "INVALID_OTHER_REASON",
      "CODE_77",
    ]);
  });

  it("may be called with bytes that are no text, which a contract is given alike", () => {
    expect(only({ args: [Uint8Array.of(0x61, 0xff), Uint8Array.of(0xc3)] }).call).to.deep.equal({
      name: "a\ufffd",
      args: ["\ufffd"],
    });
  });
});

describe("a transaction that is not as honest clients make them", () => {
  const writes = { veilgrid: [["k", utf8("1")]] as const };
  const [channel, signature] = forgeHeaders({}) as [Uint8Array, Uint8Array];
  const header = concat(field(1, channel), field(2, signature));
  const data = field(2, forgeTransaction({ writes }));
  const envelope = (...payload: Uint8Array[]): Uint8Array => field(1, concat(...payload));

  it("is seen as the peers see it, whose merging makes one header of two", () => {
    const parts = envelope(field(1, field(1, channel)), field(1, field(2, signature)), data);
    expect(decode([parts])).to.deep.equal(decode([envelope(field(1, header), data)]));
    expect(decode([parts])[0]?.writes).to.have.length(1);
  });

  const broken = {
    "no bytes": new Uint8Array(),
    "no message": utf8("garbage"),
    "a header that is none": envelope(field(1, utf8("garbage")), data),
    "no type": envelope(field(1, field(1, field(5, txId(1)))), data),
    "no transaction id": forgeEnvelope({ txId: "" }),
    "an id of capitals": forgeEnvelope({ txId: "A".repeat(64) }),
    "a long MSP": forgeEnvelope({ msp: "m".repeat(256) }),
    "a long name": forgeEnvelope({ args: ["n".repeat(0x10000)] }),
    "two actions": envelope(field(1, header), field(2, concat(forgeTransaction({}), forgeTransaction({})))),
    "no action": envelope(field(1, header)),
  };
  for (const [name, bytes] of Object.entries(broken)) {
    it(`is left out where the peers refused it, and no block has it where they took it: ${name}`, () => {
      expect(decode([bytes, forgeEnvelope({ txId: txId(2) })], [22, 0]).map(({ txId: id }) => id)).to.deep.equal([
        txId(2),
      ]);
      expect(() => decode([bytes]))
        .to.throw()
        .with.property("code", "bad-fabric-block");
    });
  }
});
