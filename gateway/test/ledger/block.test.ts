import { expect } from "chai";
import fc from "fast-check";
import { VeilgridError, toHex, utf8 } from "@veilgrid/protocol";
import type { LedgerBlock, LedgerTransaction } from "../../src/ports/ledger.js";
import { NO_BLOCK, blockHash, decodeBlock, encodeBlock } from "../../src/ledger/block.js";

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 40 });
const transaction: fc.Arbitrary<LedgerTransaction> = fc
  .record({
    txId: text,
    caller: text,
    call: fc.record({ name: text, args: fc.array(text, { maxLength: 3 }) }),
    writes: fc.array(fc.record({ key: text, value: fc.option(bytes, { nil: undefined }) }), { maxLength: 3 }),
    event: fc.option(fc.record({ name: text, payload: bytes }), { nil: undefined }),
    validation: fc.constantFrom("VALID", "MVCC_READ_CONFLICT"),
  })
  .map(({ event, ...rest }) => (event === undefined ? rest : { ...rest, event }));
const block: fc.Arbitrary<LedgerBlock> = fc.record({
  number: fc.bigInt(0n, 2n ** 64n - 1n),
  transactions: fc.array(transaction, { maxLength: 3 }),
});

const ONE: LedgerBlock = {
  number: 7n,
  transactions: [
    {
      txId: "ab",
      caller: "Org1",
      call: { name: "f", args: ["x"] },
      writes: [
        { key: "k", value: Uint8Array.of(1, 2) },
        { key: "l", value: undefined },
      ],
      event: { name: "e", payload: Uint8Array.of(3) },
      validation: "VALID",
    },
  ],
};
const PREV = new Uint8Array(32).fill(9);

function refusal(encoded: Uint8Array, number = 7n, prev: Uint8Array | undefined = PREV): string {
  try {
    decodeBlock(encoded, number, prev);
  } catch (error) {
    if (error instanceof VeilgridError && error.code === "malformed") return String(error.facts.why);
    throw error;
  }
  return "accepted";
}

describe("the bytes of a ledger block", () => {
  it("are those of its description", () => {
    const encoded = encodeBlock(ONE, PREV);
    expect(toHex(encoded.subarray(0, 40))).to.equal(`0000000000000007${"09".repeat(32)}`);
    expect(toHex(encoded.subarray(72))).to.equal(
      [
        "00000001",
        ...["02", toHex(utf8("ab")), "04", toHex(utf8("Org1")), "0001", toHex(utf8("f"))],
        ...["00000001", "00000001", toHex(utf8("x"))],
        ...["00000002", "00000001", toHex(utf8("k")), "01", "00000002", "0102", "00000001", toHex(utf8("l")), "00"],
        ...["01", "0001", toHex(utf8("e")), "00000001", "03", "05", toHex(utf8("VALID"))],
      ].join(""),
    );
  });

  it("give the block back", () => {
    fc.assert(
      fc.property(block, (each) => {
        const encoded = encodeBlock(each, NO_BLOCK);
        expect(decodeBlock(encoded, each.number, NO_BLOCK)).to.deep.equal(each);
        expect(decodeBlock(encoded, each.number)).to.deep.equal(each);
      }),
      { numRuns: 200 },
    );
  });

  it("are refused with any byte changed, cut off or added", () => {
    const encoded = encodeBlock(ONE, PREV);
    for (let at = 0; at < encoded.length; at += 1) {
      const changed = encoded.slice();
      changed[at] = (changed[at] as number) ^ 0x40;
      expect(refusal(changed), `byte ${at} changed`).not.to.equal("accepted");
      expect(refusal(encoded.subarray(0, at)), `cut to ${at}`).not.to.equal("accepted");
    }
    expect(refusal(Uint8Array.from([...encoded, 0]))).to.equal("its data are not what it names");
  });

  it("are refused in another place of the chain", () => {
    const encoded = encodeBlock(ONE, PREV);
    expect(refusal(encoded)).to.equal("accepted");
    expect(refusal(encoded, 8n)).to.equal("another number than its place");
    expect(refusal(encoded, 7n, NO_BLOCK)).to.equal("it does not follow the block before it");
  });

  it("name the block after them", () => {
    const hash = blockHash(encodeBlock(ONE, PREV));
    const next = encodeBlock({ number: 8n, transactions: [] }, hash);
    expect(decodeBlock(next, 8n, hash).transactions).to.deep.equal([]);
    expect(blockHash(encodeBlock({ ...ONE, transactions: [] }, PREV))).not.to.deep.equal(hash);
  });

  it("are refused where a correct hash is over data that nothing encodes", () => {
    const rehash = (data: Uint8Array): Uint8Array => {
      const header = encodeBlock({ number: 7n, transactions: [] }, PREV).subarray(0, 40);
      return Uint8Array.from([...header, ...blockHash(data), ...data]);
    };
    // blockHash takes what it hashes from the first 72 bytes: the data below are shorter.
    const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, "hex"));
    expect(refusal(rehash(hex("00000000")))).to.equal("accepted");
    expect(refusal(rehash(hex("0000000000")))).to.equal("1 trailing bytes");
    expect(refusal(rehash(hex("ffffffff")))).to.equal("more elements than bytes");
    expect(refusal(rehash(hex("0000000101ff0000000000000000")))).to.equal("text that is not UTF-8");
    expect(refusal(rehash(hex("0000000100000000000000000000000002")))).to.equal("a flag that is neither 0 nor 1");
  });
});
