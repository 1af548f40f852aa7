import { expect } from "chai";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  BloomFilter,
  blockCodec,
  concat,
  decodeLeaf,
  decodeSigned,
  decodeVotes,
  epochCodec,
  fromHex,
  headerCodec,
  maskCodec,
  nobleEngine,
  paramsCodec,
  pridSum,
  proposalCodec,
  readingCodec,
  setCommitment,
  sigMessage,
  toHex,
  verifyVotes,
  type Block,
  type SigKind,
} from "../../src/index.js";
import { compactJson } from "../../vectors/files.js";
import { fromInput } from "../../vectors/from-input.js";
import { readInput } from "../../vectors/input.js";
import { VECTORS, type BlockJson } from "./committed.js";

const INPUT = readInput();
const CONSORTIUM = fromHex(VECTORS.consortium);
const PARAMS = paramsCodec.decode(fromHex(VECTORS.paramsBytes));
const BLOCKS = [VECTORS.epochBlock, ...VECTORS.readingsBlocks];

function node(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash("sha256")
      .update(concat(...parts))
      .digest(),
  );
}

/** MTH of RFC 6962 section 2.1, as it stands there. */
function merkleTreeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return node();
  if (leaves.length === 1) return node(Uint8Array.of(0), leaves[0] as Uint8Array);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return node(Uint8Array.of(1), merkleTreeHash(leaves.slice(0, k)), merkleTreeHash(leaves.slice(k)));
}

/** Whether the reference engine finds the signature good. */
function verifies(kind: SigKind, body: Uint8Array, sig: Uint8Array, key: Uint8Array | undefined): boolean {
  return nobleEngine.verify(sig, sigMessage(kind, CONSORTIUM, body), key ?? new Uint8Array());
}

function decoded({ block }: BlockJson): Block {
  return blockCodec.decode(fromHex(block), PARAMS.periodSeconds);
}

/** The PRIDs of a meter in the k-th period. */
function pridsOf(meter: number, k: number): readonly string[] {
  return VECTORS.meters[meter]?.run[k]?.prid ?? [];
}

describe("vectors of input.json", () => {
  it("are what the generator makes, byte for byte", () => {
    const file = readFileSync(new URL("../../../vectors/from-input.json", import.meta.url), "utf8");
    expect(file).to.equal(`${compactJson(fromInput(INPUT))}\n`);
  });

  it("name the consortium by SHA-256 of its parameter set", () => {
    expect(toHex(node(fromHex(VECTORS.paramsBytes)))).to.equal(VECTORS.consortium);
    expect(PARAMS.da.map(({ msp }) => msp)).to.deep.equal(["OrgDA0MSP", "OrgDA1MSP", "OrgDA2MSP", "OrgDA3MSP"]);
    expect([PARAMS.minReleaseMeters, PARAMS.maxWhPerPeriod]).to.deep.equal([8, 50_000]);
  });

  it("have an epoch that says what the lists say", () => {
    const epoch = epochCodec(PARAMS).decode(fromHex(VECTORS.epochBytes));
    expect([epoch.meters, epoch.leaves, epoch.periods]).to.deep.equal([12, 12, 3]);
    expect(toHex(epoch.seedRoot)).to.equal(VECTORS.seedRoot);
    for (const [k, { bf1, set }] of epoch.entries.entries()) {
      const prids = (VECTORS.pridLists[k] ?? []).map(fromHex);
      expect(prids.length, `period ${k}`).to.equal(24);
      expect(
        prids.every((prid) => new BloomFilter(bf1, "veilgrid/1/bf1", 20).has(prid)),
        `BF1 of ${k}`,
      ).to.equal(true);
      expect(toHex(setCommitment(1, { month: 24_314, k: 1344 + k }, prids)), `S of ${k}`).to.equal(toHex(set));
      expect(toHex(pridSum(prids) ?? new Uint8Array()), `T of ${k}`).to.equal(VECTORS.T[k]);
    }
  });

  it("chain their blocks from genesis, each with the root of its leaves", () => {
    let prev = VECTORS.genesisHash;
    for (const [i, json] of BLOCKS.entries()) {
      const { header, leaves } = decoded(json);
      expect(toHex(headerCodec.encode(header)), `header ${i}`).to.equal(json.headerBytes);
      expect([header.number, toHex(header.prev)], `block ${i}`).to.deep.equal([BigInt(i + 1), prev]);
      expect(toHex(header.root), `root ${i}`).to.equal(toHex(merkleTreeHash(leaves)));
      prev = json.cbh;
    }
  });

  it("say in aggFault that the first period lacks a half, and no other", () => {
    const headers = VECTORS.readingsBlocks.map((json) => decoded(json).header);
    expect(headers.map(({ count, aggFault }) => [count, aggFault])).to.deep.equal([
      [24, true],
      [24, false],
      [24, false],
    ]);
  });

  it("have every block signed by its leader and certified by Q of its DAs", () => {
    for (const json of BLOCKS) {
      const { header, scbh } = decoded(json);
      expect(verifies("header", fromHex(json.cbh), scbh, PARAMS.da[0]?.key), "SCBH").to.equal(true);
      const proposal = decodeSigned(proposalCodec, fromHex(json.proposal));
      expect(verifies("proposal", proposal.bytes, proposal.sig, header.leader), "proposal").to.equal(true);
      verifyVotes(CONSORTIUM, PARAMS, fromHex(json.certificate), { ...header, cbh: fromHex(json.cbh) });
      const votes = decodeVotes(fromHex(json.certificate), 3);
      expect(votes.map(({ body }) => body.da)).to.deep.equal([0, 1, 3]);
      for (const { body, bytes, sig } of votes) {
        expect(verifies("vote", bytes, sig, PARAMS.da[body.da]?.key), `vote of DA ${body.da}`).to.equal(true);
      }
    }
  });

  it("have the epoch signed by KGCBP", () => {
    const { body, sig } = decodeLeaf(decoded(VECTORS.epochBlock).leaves[0] as Uint8Array);
    expect(toHex(body)).to.equal(VECTORS.epochBytes);
    expect(verifies("epoch", body, sig, PARAMS.kgcbp.key)).to.equal(true);
  });

  it("have every reading signed under its PRID and carried by its block", () => {
    for (const [k, meters] of VECTORS.readings.entries()) {
      const { leaves } = decoded(VECTORS.readingsBlocks[k] as BlockJson);
      const proposal = decodeSigned(proposalCodec, fromHex((VECTORS.readingsBlocks[k] as BlockJson).proposal)).body;
      const inBlock = new Map(
        leaves.map((leaf, i) => [toHex(leaf), toHex(proposal.readings?.[i] ?? new Uint8Array())]),
      );
      expect(inBlock.size).to.equal(meters.flat().length);
      for (const { body, sig, readingHash } of meters.flat()) {
        const { prid } = readingCodec.decode(fromHex(body));
        expect(verifies("reading", fromHex(body), fromHex(sig), prid), readingHash).to.equal(true);
        expect(inBlock.get(body.slice(18) + sig), "the proposal's hash at the leaf's place").to.equal(readingHash);
      }
    }
  });

  it("send what the events say, and else two halves a meter", () => {
    const counts = VECTORS.readings.map((meters) => meters.map((readings) => readings.length));
    const two = Array.from({ length: 12 }, () => 2);
    expect(counts).to.deep.equal([[2, 2, 2, 1, 2, 3, 2, 2, 2, 2, 2, 2], two, two]);
    const prids = VECTORS.readings[0]?.[5]?.map(({ body }) => body.slice(18, 82));
    expect(prids).to.deep.equal([...pridsOf(5, 0), pridsOf(5, 0)[1]]);
  });
});

describe("mask releases of input.json", () => {
  const masks = VECTORS.masks.map(({ maskBytes }) => maskCodec.decode(fromHex(maskBytes), PARAMS.periodSeconds));

  it("exclude the orphan, the double and the implausible meter by each PRID in the block", () => {
    const expected = [[pridsOf(3, 0)[0], ...pridsOf(5, 0), ...pridsOf(8, 0)], [...pridsOf(7, 1)], [...pridsOf(6, 2)]];
    expect(masks.map(({ excluded }) => excluded.map(toHex))).to.deep.equal(expected.map((prids) => prids.sort()));
  });

  it("are for the committed blocks", () => {
    expect(masks.map(({ cbh }) => toHex(cbh))).to.deep.equal(VECTORS.readingsBlocks.map(({ cbh }) => cbh));
  });

  it("open the sum of the complete meters and nothing else", () => {
    const opened = masks.map(({ z, excluded }, k) => {
      const out = new Set(excluded.map(toHex));
      const leaves = decoded(VECTORS.readingsBlocks[k] as BlockJson).leaves.map(toHex);
      const prids = leaves.map((leaf) => leaf.slice(0, 64));
      const counted = leaves.filter((_, i) => {
        const prid = prids[i] as string;
        return prids.filter((one) => one === prid).length === 1 && !out.has(prid);
      });
      const sum = counted.reduce((all, leaf) => all + BigInt(`0x${leaf.slice(64, 80)}`), 0n) % (1n << 64n);
      expect(sum.toString(), `period ${k}`).to.equal(VECTORS.masks[k]?.sumOfCounted);
      return BigInt.asIntN(64, sum - z);
    });
    // 500 + 0 - 1250 + 50000 + 999 + 1 + 344 + 250 + 88, and twice everything but the 60001.
    expect(opened).to.deep.equal([50_932n, 51_675n, 51_675n]);
  });
});
