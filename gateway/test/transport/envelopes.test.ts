import { expect } from "chai";
import fc from "fast-check";
import * as envelopes from "../../src/transport/envelopes.js";

const period = { month: 24_159, k: 17 };
const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const someBytes = fc.uint8Array({ maxLength: 300 });

/** `malformed`, or whatever else decoding comes to. */
function codeOf(decode: () => unknown): string {
  try {
    decode();
    return "decoded";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe("responses", () => {
  it("are one tag byte and what it announces", () => {
    expect(envelopes.encodeAccepted(Uint8Array.of(5), Uint8Array.of(6))).to.deep.equal(Uint8Array.of(1, 5, 6));
    expect(envelopes.encodeAnswer(Uint8Array.of(5))).to.deep.equal(Uint8Array.of(3, 5));
    expect(envelopes.encodeIncomplete(Uint8Array.of(5))).to.deep.equal(Uint8Array.of(4, 5));
    const sig = new Uint8Array(64).fill(8);
    const signed = envelopes.encodeAnswer(Uint8Array.of(5), sig);
    expect([signed.length, signed[0], signed[1], signed[2]]).to.deep.equal([66, 2, 5, 8]);
    expect(envelopes.decodeResponse(signed)).to.deep.equal({ tag: "answer", answer: Uint8Array.of(5), sig });
  });

  it("come back as they went", () => {
    fc.assert(
      fc.property(someBytes, (body) => {
        expect(envelopes.decodeResponse(envelopes.encodeAccepted(body))).to.deep.equal({ tag: "accepted", body });
        expect(envelopes.decodeResponse(envelopes.encodeAnswer(body))).to.deep.equal({ tag: "answer", answer: body });
        expect(envelopes.decodeResponse(envelopes.encodeIncomplete(body))).to.deep.equal({ tag: "incomplete", body });
      }),
    );
  });

  it("refuse nothing, an unknown tag, and a signature without an answer", () => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(9), Uint8Array.of(0, 1), new Uint8Array(65).fill(2)]) {
      expect(codeOf(() => envelopes.decodeResponse(bytes))).to.equal("malformed");
    }
  });
});

describe("time", () => {
  it("is 64 bits of milliseconds", () => {
    expect(envelopes.decodeTime(envelopes.encodeTime(1_365_379_200_000))).to.equal(1_365_379_200_000);
    for (const bytes of [new Uint8Array(7), new Uint8Array(9), new Uint8Array(8).fill(255)]) {
      expect(codeOf(() => envelopes.decodeTime(bytes))).to.equal("malformed");
    }
  });
});

describe("bundles", () => {
  it("hold 1 to 256 signed readings", () => {
    const readings = Array.from({ length: 256 }, (_, i) => new Uint8Array(113).fill(i));
    expect(envelopes.decodeBundle(envelopes.encodeBundle(readings))).to.deep.equal(readings);
    for (const size of [0, 112, 114, 257 * 113]) {
      expect(codeOf(() => envelopes.decodeBundle(new Uint8Array(size)))).to.equal("malformed");
    }
  });

  it("are acked with one bit a reading", () => {
    const accepted = [true, false, false, true, true, true, true, true, true, false];
    const ack = new Uint8Array(109).fill(3);
    const bytes = envelopes.encodeBundleAck({ ack, accepted });
    expect(bytes.slice(-2)).to.deep.equal(Uint8Array.of(0b10011111, 0b10000000));
    expect(envelopes.decodeBundleAck(bytes, 10)).to.deep.equal({ ack, accepted });
    // A bit beyond the bundle, a byte too few, a byte too many.
    expect(codeOf(() => envelopes.decodeBundleAck(Uint8Array.of(...bytes.slice(0, -1), 0b10100000), 10))).to.equal(
      "malformed",
    );
    expect(codeOf(() => envelopes.decodeBundleAck(bytes, 8))).to.equal("malformed");
    expect(codeOf(() => envelopes.decodeBundleAck(bytes, 17))).to.equal("malformed");
  });
});

describe("bodies", () => {
  it("are wished for by hash", () => {
    const wish = { region: 3, period, hashes: [hash(1), hash(2)] };
    expect(envelopes.decodeBodiesWish(envelopes.encodeBodiesWish(wish))).to.deep.equal(wish);
    expect(codeOf(() => envelopes.decodeBodiesWish(new Uint8Array(7)))).to.equal("malformed");
    expect(codeOf(() => envelopes.decodeBodiesWish(new Uint8Array(8 + 31)))).to.equal("malformed");
  });

  it("are signed readings", () => {
    expect(envelopes.decodeBodies(new Uint8Array(226))).to.have.length(2);
    expect(codeOf(() => envelopes.decodeBodies(new Uint8Array(225)))).to.equal("malformed");
  });
});

describe("transactions", () => {
  it("are a kind and a leaf", () => {
    const transaction = { kind: 4, leaf: Uint8Array.of(1, 2, 3) };
    expect(envelopes.encodeTransaction(transaction)).to.deep.equal(Uint8Array.of(4, 1, 2, 3));
    expect(envelopes.decodeTransaction(Uint8Array.of(4, 1, 2, 3))).to.deep.equal(transaction);
    for (const bytes of [new Uint8Array(), Uint8Array.of(4)]) {
      expect(codeOf(() => envelopes.decodeTransaction(bytes))).to.equal("malformed");
    }
  });
});

describe("PRID lists", () => {
  const lists = { region: 3, first: period, lists: [[hash(1), hash(2)], [], [hash(3)]] };

  it("come back as they went, to keep or on a wish", () => {
    expect(envelopes.decodeLists(envelopes.encodeLists(lists))).to.deep.equal(lists);
    const keep = envelopes.decodeListsRequest(envelopes.encodeKeepLists(lists));
    expect(keep).to.deep.equal({ what: "keep", lists });
    const wish = { region: 3, first: period, periods: 48 };
    expect(envelopes.decodeListsRequest(envelopes.encodeListsWish(wish))).to.deep.equal({ what: "wish", wish });
  });

  it("are refused unsorted, repeated, cut short or with a rest", () => {
    const good = envelopes.encodeLists(lists);
    const twice = envelopes.encodeLists({ ...lists, lists: [[hash(1), hash(1)]] });
    const unsorted = envelopes.encodeLists({ ...lists, lists: [[hash(2), hash(1)]] });
    for (const bytes of [twice, unsorted, good.slice(0, -1), Uint8Array.of(...good, 0)]) {
      expect(codeOf(() => envelopes.decodeLists(bytes))).to.equal("malformed");
    }
    for (const bytes of [new Uint8Array(), Uint8Array.of(3), Uint8Array.of(2, 0, 1)]) {
      expect(codeOf(() => envelopes.decodeListsRequest(bytes))).to.equal("malformed");
    }
  });

  it("are sent in parts of about 1 MiB, one list at least", () => {
    const big = Array.from({ length: 20_000 }, () => hash(0));
    expect(envelopes.partLength([big, big, big], 0)).to.equal(1);
    expect(envelopes.partLength([[hash(1)], big, [hash(1)], big], 0)).to.equal(3);
    expect(envelopes.partLength([big, [], []], 1)).to.equal(2);
    const huge = Array.from({ length: 40_000 }, () => hash(0));
    expect(envelopes.partLength([huge, huge], 0)).to.equal(1);
  });
});
