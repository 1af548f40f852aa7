import { concat, fromHex, sha256, toHex, type VeilgridError } from "@veilgrid/protocol";
import { expect } from "chai";
import { commitHash, fingerprint, headerHash, readBlock } from "../../src/fabric/rawblock.js";
import { REAL_BLOCKS } from "./channel.js";
import { count, field, forgeBlock, forgeEnvelope } from "./forge.js";

function refusal(bytes: Uint8Array): string {
  try {
    readBlock(bytes);
  } catch (error) {
    expect(error).to.include({ name: "VeilgridError", code: "bad-fabric-block", blame: "peer" });
    return (error as VeilgridError).facts.why as string;
  }
  throw new Error("it was taken");
}

describe("a block of Fabric's", () => {
  it("names the one before by the hash of its header", () => {
    const parts = REAL_BLOCKS.map(readBlock);
    expect(parts.map(({ number }) => number)).to.deep.equal([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
    for (const [i, { previous }] of parts.entries()) {
      expect(toHex(previous)).to.equal(i === 0 ? "" : toHex((parts[i - 1] as { hash: Uint8Array }).hash));
    }
    expect(toHex((parts[8] as { hash: Uint8Array }).hash)).to.equal(
      "cc919370d8205b978eefb4ee9ee4724628f13b040c87fc6bda5ee09fb4cf8861",
    );
  });

  it("has a header whose number is a DER integer, whatever its size", () => {
    // Made with Go: protoutil.BlockHeaderHash(&BlockHeader{Number, PreviousHash: {1, 2}, DataHash: {3}}).
    const vectors = [
      [0n, "f6fe5b35bb2679d47f1184feab24bebe58413e22239459b4c16de7b72afa4e7f"],
      [1n, "d3f34a82b7164d20a6ff41a3ef94b65c7693ac260c01375bd81d75fdb70f41a0"],
      [127n, "7b91433f85458e62adfe5c055458316174d4eefd9ffcae3499d2f813625ad68b"],
      [128n, "ac9de9afb33d4e27e3a7c1d917b30d4c5851e11d6bf984aea22da4dbdce4a0b2"],
      [255n, "61a1e93d690876b038ae6dcf3c9e82b39aec9fa576c8b45b2d8757780e5f760a"],
      [256n, "61df13d2d341323e79272df541501a5811837f7f4256ce490500de00ef931d24"],
      [32_767n, "8a690a90091522b9f73d621ebb33b7e3b26ad24935eba017e52b2452e7c2b3d3"],
      [32_768n, "ebdf8e9e0bf2fb3acd7dacdca6870ec534cd9acbcac9f794588e435def520e22"],
      [2n ** 53n, "b27ff5288ee804504431840459e68e39d20ab7ee666df065f91252d9a050176e"],
      [2n ** 63n, "4b98ed1059dac8677f43affd420fc46b0dae6e55944a97fb552e3f15fe617942"],
      [2n ** 64n - 1n, "61ac78c30151bfc381181c5926aaf320b56982a01491cc067a96f5c258c19b96"],
    ] as const;
    for (const [number, hash] of vectors) {
      expect(toHex(headerHash(number, Uint8Array.of(1, 2), Uint8Array.of(3))), String(number)).to.equal(hash);
    }
  });

  it("tells the peer's verdicts and its commit hash", () => {
    const parts = REAL_BLOCKS.map(readBlock);
    expect(parts.map(({ flags }) => [...flags])).to.deep.equal([[0], [0], [0], [0], [0], [0], [0], [0, 11], [0]]);
    expect(commitHash(REAL_BLOCKS[0] as Uint8Array)).to.equal(undefined);
    expect(toHex(commitHash(REAL_BLOCKS[7] as Uint8Array) as Uint8Array)).to.match(/^a72082e8/);
  });

  it("is another one where another transaction counts", () => {
    const envelopes = [forgeEnvelope({})];
    const valid = readBlock(forgeBlock(3, new Uint8Array(32), envelopes, [0]).raw);
    const invalid = readBlock(forgeBlock(3, new Uint8Array(32), envelopes, [11]).raw);
    expect(toHex(valid.hash)).to.equal(toHex(invalid.hash));
    expect(toHex(fingerprint(valid))).not.to.equal(toHex(fingerprint(invalid)));
  });

  it("is refused where it contradicts itself, or is none", () => {
    const { raw } = forgeBlock(3, new Uint8Array(32), [forgeEnvelope({})]);
    expect(refusal(forgeBlock(3, new Uint8Array(32), [forgeEnvelope({})], [0, 0]).raw)).to.equal(
      "not one verdict for each transaction",
    );
    expect(refusal(concat(raw, field(2, field(1, "one more"))))).to.equal("its data are not what its header names");
    expect(refusal(new Uint8Array())).to.equal("a block without a header");
    for (const bytes of [raw.subarray(0, raw.length - 1), fromHex("0a"), fromHex("0aff"), fromHex("ff")]) {
      expect(refusal(bytes)).to.equal("a message that ends too early");
    }
  });

  it("is refused where a hash is none", () => {
    const empty = sha256(new Uint8Array());
    const block = (previous: Uint8Array, commit: Uint8Array): Uint8Array => {
      const header = concat(count(1, 3), field(2, previous), field(3, empty));
      const metadata = ["", "", "", "", field(1, commit)].map((item) => field(1, item));
      return concat(field(1, header), field(3, concat(...metadata)));
    };
    const [none, whole] = [new Uint8Array(), new Uint8Array(32)];
    expect(readBlock(block(whole, whole)).commitHash).to.have.length(32);
    expect(readBlock(block(whole, none)).commitHash).to.equal(undefined);
    expect(refusal(block(whole, new Uint8Array(31)))).to.equal("a commit hash that is none");
    expect(refusal(block(new Uint8Array(128), whole))).to.equal("a header with hashes that are none");
  });
});
