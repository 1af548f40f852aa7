import { fromHex, isVeilgridError, toHex } from "@veilgrid/protocol";
import { expect } from "chai";
import fc from "fast-check";
import { Message } from "../../src/fabric/protobuf.js";

/** Payload { Header header = 1 { bytes channel_header = 1, signature_header = 2 }; bytes data = 2 }. */
function payload(hex: string): string {
  try {
    const message = new Message(fromHex(hex));
    const header = message.message(1);
    return [header.bytes(1), header.bytes(2), message.bytes(2)].map(toHex).join("|");
  } catch (error) {
    expect(isVeilgridError(error, "bad-fabric-block"), String(error)).to.equal(true);
    return "refused";
  }
}

describe("a protobuf message", () => {
  // Answers of proto.Unmarshal(bytes, &common.Payload{}), google.golang.org/protobuf 1.36, Go 1.26.
  const vectors = {
    "a header in two parts": ["0a030a01aa0a031201bb", "aa|bb|"],
    "a header in two parts that are a message only together": ["0a010a0a0201aa", "refused"],
    "a number in the header's place": ["08050a030a01aa", "aa||"],
    "data twice": ["120111120122", "||22"],
    "a group around a part of the header": ["1b0a030a01aa1c0a031201bb", "|bb|"],
    "groups within a group": ["1b1b1c1c", "||"],
    "a group without an end": ["1b0a030a01aa", "refused"],
    "groups without an end within one": ["1b1b1c", "refused"],
    "an end without a group": ["1c", "refused"],
    "the end of another group": ["1b24", "refused"],
    "a field of number 0": ["0001", "refused"],
    "fields of types 6 and 7": ["0e00", "refused"],
    "a field of type 7": ["0f", "refused"],
    "the greatest number": ["08ffffffffffffffffff01", "||"],
    "a number of 70 bits": ["08ffffffffffffffffff7f", "refused"],
    "a tag with a needless zero": ["8a00030a01aa", "aa||"],
    "the greatest field": ["f8ffffff0f01", "||"],
    "a field past the greatest": ["f8ffffff1f01", "refused"],
    "32 bits": ["0d010203040a030a01aa", "aa||"],
    "64 bits": ["0901020304050607080a030a01aa", "aa||"],
    "bytes past the end": ["0aff", "refused"],
    "bytes past any end": ["12ffffffffffffffffff01", "refused"],
    "a tag alone": ["0a", "refused"],
    "a tag that breaks off": ["0a80", "refused"],
  } as const;
  for (const [name, [hex, answer]] of Object.entries(vectors)) {
    it(`is read as the peers read it: ${name}`, () => {
      expect(payload(hex)).to.equal(answer);
    });
  }

  it("has texts that are UTF-8, each of them", () => {
    expect(new Message(fromHex("0a03e282ac")).text(1)).to.equal("€");
    expect(new Message(fromHex("0a01610a0162")).text(1)).to.equal("b");
    expect(new Message(new Uint8Array()).text(1)).to.equal("");
    expect(() => new Message(fromHex("0a01ff0a0162")).text(1)).to.throw("text that is not UTF-8");
  });

  it("refuses what it refuses by its own error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        payload(toHex(bytes));
      }),
    );
  });

  it("follows groups as deep as Go does, and no deeper", () => {
    const nested = (depth: number): Uint8Array =>
      Uint8Array.from({ length: 2 * depth }, (_, i) => (i < depth ? 0x1b : 0x1c));
    expect(new Message(nested(10_000)).bytes(1)).to.have.length(0);
    expect(() => new Message(nested(10_001))).to.throw("groups too deep");
  });
});
