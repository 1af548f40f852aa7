import { expect } from "chai";
import fc from "fast-check";
import {
  MerkleTree,
  ackCodec,
  compareBytes,
  concat,
  decodeReceipt,
  encodeReceipt,
  encodeSigned,
  equalBytes,
  isVeilgridError,
  pridOf,
  readingCodec,
  readingHash,
  readingSecret,
  signStruct,
  verifyReceipt,
  verifyReceiptOf,
  type Ack,
  type Params,
  type Period,
  type ReceiptEntry,
} from "../../src/index.js";
import { CONSORTIUM, PARAMS, SECRETS } from "./consortium.js";

const PERIOD: Period = { month: 24_314, k: 1344 };

/** The signed readings (113 bytes) of `count` meters' halves. */
function readings(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const t = new Uint8Array(32).fill(i);
    const body = { region: 1, period: PERIOD, prid: pridOf(t), rc: BigInt(i) };
    return encodeSigned(signStruct("reading", CONSORTIUM, readingCodec, body, readingSecret(t)));
  });
}

/** One DA's ack of a bundle, for the reading whose hash is given. */
function entry(da: number, bundle: readonly Uint8Array[], mine: Uint8Array, change: Partial<Ack> = {}): ReceiptEntry {
  const hashes = bundle.map((one) => readingHash(one)).sort(compareBytes);
  const tree = new MerkleTree(hashes);
  const index = hashes.findIndex((hash) => equalBytes(hash, mine));
  const ack = { params: 1, da, region: 1, period: PERIOD, count: hashes.length, root: tree.root, ...change };
  const signed = signStruct("ack", CONSORTIUM, ackCodec, ack, SECRETS[da % 4] as Uint8Array);
  return { ...signed, index, path: tree.path(index) };
}

const BUNDLE = readings(5);
const READING = BUNDLE[3] as Uint8Array;
const HASH = readingHash(READING);
const receipt = (change: Partial<Ack> = {}): ReceiptEntry[] => [3, 0, 2].map((da) => entry(da, BUNDLE, HASH, change));

/** The code that checking ends with, or "accepted". */
function verdict(bytes: Uint8Array, reading = READING, params: Params = PARAMS, consortium = CONSORTIUM): string {
  try {
    verifyReceiptOf(consortium, params, bytes, reading);
    return "accepted";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

describe("receipt", () => {
  it("convinces whoever has the reading, with Q acks of different bundles", () => {
    const bundles = [BUNDLE, [READING], BUNDLE.slice(2)];
    const entries = bundles.map((bundle, da) => entry(da, bundle, HASH));
    const bytes = encodeReceipt(entries);
    expect(verdict(bytes)).to.equal("accepted");
    expect(decodeReceipt(bytes, 3).map(({ path }) => path.length)).to.deep.equal([3, 0, 2]);
  });

  it("stands in ascending order of DAs and gives back what it was made of", () => {
    const decoded = verifyReceipt(CONSORTIUM, PARAMS, encodeReceipt(receipt()), HASH);
    expect(decoded.map(({ body }) => body.da)).to.deep.equal([0, 2, 3]);
    expect(encodeReceipt(decoded)).to.deep.equal(encodeReceipt(receipt()));
  });

  it("takes bundles of every size from 1 to 256", () => {
    const hashes = Array.from({ length: 256 }, (_, i) => new Uint8Array(32).fill(i));
    const sizes = fc.integer({ min: 1, max: 256 }).chain((count) => fc.tuple(fc.constant(count), fc.nat(count - 1)));
    const property = fc.property(sizes, ([count, index]) => {
      const tree = new MerkleTree(hashes.slice(0, count));
      const entries = [0, 1, 2].map((da) => {
        const ack = { params: 1, da, region: 1, period: PERIOD, count, root: tree.root };
        return { body: ack, bytes: ackCodec.encode(ack), sig: new Uint8Array(64), index, path: tree.path(index) };
      });
      const bytes = encodeReceipt(entries);
      expect(decodeReceipt(bytes, 3, 1800)).to.deep.equal(entries);
      expect(() => decodeReceipt(concat(bytes, new Uint8Array(1)), 3)).to.throw(/malformed receipt/);
    });
    fc.assert(property, { numRuns: 40 });
  });

  it("is refused with a DA less or a DA twice", () => {
    expect(verdict(encodeReceipt(receipt().slice(1)))).to.equal("malformed");
    const [, zero, two] = receipt();
    const bytes = encodeReceipt(receipt());
    // The entry of DA 0 once more in the place of DA 2.
    const size = bytes.length / 3;
    const twice = concat(bytes.subarray(0, size), bytes.subarray(0, size), bytes.subarray(2 * size));
    expect(verdict(twice)).to.equal("malformed");
    expect(() => encodeReceipt([zero, two, zero] as ReceiptEntry[])).to.throw(/not ascending/);
    expect(() => encodeReceipt([])).to.throw(/no ack/);
  });

  it("is refused for another reading of the same bundle", () => {
    expect(verdict(encodeReceipt(receipt()), BUNDLE[0])).to.equal("not-acked");
  });

  it("is refused where the acks name another region or period", () => {
    expect(verdict(encodeReceipt(receipt({ region: 2 })))).to.equal("not-acked");
    expect(verdict(encodeReceipt(receipt({ period: { month: 24_314, k: 1345 } })))).to.equal("not-acked");
  });

  it("is refused under another params version, from a stranger, or with a forged ack", () => {
    expect(verdict(encodeReceipt(receipt({ params: 2 })))).to.equal("wrong-params");
    const [three, zero] = receipt();
    const stranger = entry(7, BUNDLE, HASH);
    expect(verdict(encodeReceipt([three, zero, stranger] as ReceiptEntry[]))).to.equal("not-a-member");
    const forged = { ...entry(2, BUNDLE, HASH), sig: new Uint8Array(64).fill(1) };
    expect(verdict(encodeReceipt([three, zero, forged] as ReceiptEntry[]))).to.equal("bad-signature");
    expect(verdict(encodeReceipt(receipt()), READING, PARAMS, new Uint8Array(32))).to.equal("bad-signature");
  });

  it("is asked about a reading with its signature only", () => {
    expect(verdict(encodeReceipt(receipt()), READING.subarray(0, 49))).to.equal("out-of-range");
  });
});
