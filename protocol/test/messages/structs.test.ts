import { expect } from "chai";
import {
  ANSWER,
  ANSWER_CLASS,
  KIND,
  MAX_INPUT_BYTES,
  NO_PERIOD,
  answerCodec,
  answerName,
  billHash,
  billsCodec,
  blockCodec,
  blockHash,
  caseRef,
  concat,
  consortiumId,
  decodeLeaf,
  decodeParamsLeaf,
  decodeReadingLeaf,
  decodeSigned,
  encodeLeaf,
  encodeParamsLeaf,
  encodeSigned,
  epochCodec,
  epochHead,
  genesisHash,
  genesisHeader,
  headerCodec,
  incompleteCodec,
  isVeilgridError,
  maskCodec,
  paramsCodec,
  paramsDefaults,
  proposalCodec,
  readingCodec,
  readingHash,
  readingLeaf,
  readingOfLeaf,
  sha256,
  signStruct,
  toHex,
  verifySigned,
  voteCodec,
  type Header,
} from "../../src/index.js";
import * as raw from "../../vectors/raw.js";
import { CONSORTIUM, PARAMS, SECRETS } from "./consortium.js";

/** The code that the call ends with, or "accepted". */
function outcome(call: () => unknown): string {
  try {
    call();
    return "accepted";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

describe("params", () => {
  it("have the defaults of section 7", () => {
    const { submissionWindow, forwardSeconds, roundSeconds, releaseSeconds } = paramsDefaults;
    expect([
      paramsDefaults.periodSeconds,
      submissionWindow,
      forwardSeconds,
      roundSeconds,
      releaseSeconds,
    ]).to.deep.equal([1800, 600, 30, 10, 3600]);
    const { maxSkewMs, minReleaseMeters, maxRegionMeters, maxWhPerPeriod, billBytes } = paramsDefaults;
    expect([maxSkewMs, minReleaseMeters, maxRegionMeters, maxWhPerPeriod, billBytes]).to.deep.equal([
      30_000, 10, 1000, 200_000, 131_072,
    ]);
    const { release, completeness, bitsPerElement, indices, closeMonths, retentionMonths, verdictDays } =
      paramsDefaults;
    expect([release, completeness]).to.deep.equal(["after-commit", "set"]);
    expect([bitsPerElement, indices, closeMonths, retentionMonths, verdictDays]).to.deep.equal([29, 20, 2, 24, 7]);
  });

  it("are named by SHA-256 of their version 1", () => {
    const bytes = raw.params();
    expect(consortiumId(bytes)).to.deep.equal(sha256(bytes));
  });

  it("are not encoded with a value that no set can have", () => {
    const wrong = [
      { version: 0 },
      { version: 65_536 },
      { channel: "two words" },
      { minReleaseMeters: 4 },
      { closeMonths: 0.5 },
    ];
    for (const change of wrong) {
      const [field] = Object.keys(change);
      expect(
        outcome(() => paramsCodec.encode({ ...PARAMS, ...change })),
        field,
      ).to.equal("out-of-range");
    }
  });

  it("stand in a leaf with the possessions of the new keys", () => {
    const bytes = paramsCodec.encode({ ...PARAMS, version: 2 });
    const sigs = [raw.fill(64, 1), raw.fill(64, 2)];
    const leaf = encodeParamsLeaf(bytes, sigs);
    expect(leaf.length).to.equal(bytes.length + 128);
    expect(decodeParamsLeaf(leaf)).to.deep.equal({ params: { ...PARAMS, version: 2 }, bytes, possessions: sigs });
    expect(outcome(() => encodeParamsLeaf(bytes, [raw.fill(63, 1)]))).to.equal("out-of-range");
  });
});

describe("epoch", () => {
  it("shows its fixed fields before its parameter set is known", () => {
    const head = epochHead(raw.epoch());
    expect(head).to.deep.equal({
      region: 1,
      first: { month: 24_314, k: 46 },
      periods: 2,
      params: 1,
      meters: 12,
      leaves: 1,
      seedRoot: raw.fill(32, 0x0e),
    });
  });

  it("is not encoded with filters of another size or for modes that it does not have", () => {
    const codec = epochCodec(PARAMS);
    const epoch = codec.decode(raw.epoch());
    const [first, second] = epoch.entries;
    const short = { bf1: raw.fill(86, 1), set: raw.fill(32, 1) };
    expect(outcome(() => codec.encode({ ...epoch, entries: [short, short] }))).to.equal("out-of-range");
    expect(outcome(() => codec.encode({ ...epoch, entries: epoch.entries.slice(1) }))).to.equal("out-of-range");
    expect(outcome(() => codec.encode({ ...epoch, bf2: raw.fill(8, 1) }))).to.equal("out-of-range");
    expect(
      outcome(() => codec.encode({ ...epoch, entries: [{ ...short, ...first, z: 1n }, second ?? short] })),
    ).to.equal("out-of-range");
  });
});

describe("reading", () => {
  const signed = signStruct(
    "reading",
    CONSORTIUM,
    readingCodec,
    { region: 1, period: { month: 24_314, k: 9 }, prid: PARAMS.da[0]?.key ?? raw.fill(32, 0), rc: 5n },
    SECRETS[0] as Uint8Array,
  );

  it("is 49 bytes, 113 with its signature, 104 as a leaf", () => {
    const bytes = encodeSigned(signed);
    const leaf = readingLeaf(bytes);
    expect([signed.bytes.length, bytes.length, leaf.length]).to.deep.equal([49, 113, 104]);
    expect(readingOfLeaf(1, { month: 24_314, k: 9 })(leaf)).to.deep.equal(bytes);
    expect(decodeReadingLeaf(leaf)).to.deep.equal({ prid: signed.body.prid, rc: 5n, sig: signed.sig });
    expect(readingHash(bytes)).to.deep.equal(readingHash(signed.bytes, signed.sig));
  });

  it("is refused in any other length", () => {
    expect(outcome(() => readingLeaf(signed.bytes))).to.equal("out-of-range");
    expect(outcome(() => readingOfLeaf(1, { month: 24_314, k: 9 })(signed.bytes))).to.equal("out-of-range");
    expect(outcome(() => decodeReadingLeaf(raw.fill(103, 1)))).to.equal("malformed");
  });

  it("is held to the real period length where that is known", () => {
    const quarter = raw.reading({ period: { month: raw.MONTH, k: 1488 } });
    expect(readingCodec.decode(quarter).period.k).to.equal(1488);
    expect(outcome(() => readingCodec.decode(quarter, 1800))).to.equal("malformed");
  });
});

describe("signed body", () => {
  const body = { params: 1, region: 1, number: 1n, term: 1n, round: 0, cbh: raw.fill(32, 1), da: 0 };
  const signed = signStruct("vote", CONSORTIUM, voteCodec, body, SECRETS[0] as Uint8Array);
  const key = PARAMS.da[0]?.key ?? raw.fill(32, 0);

  it("is the body and 64 bytes", () => {
    const bytes = encodeSigned(signed);
    expect(decodeSigned(voteCodec, bytes)).to.deep.equal(signed);
    expect(decodeLeaf(bytes)).to.deep.equal({ body: signed.bytes, sig: signed.sig });
    expect(encodeLeaf(signed.bytes, signed.sig)).to.deep.equal(bytes);
    expect(verifySigned("vote", CONSORTIUM, signed, key)).to.equal(true);
    expect(verifySigned("timeout", CONSORTIUM, signed, key)).to.equal(false);
  });

  it("is refused without a body, without a signature, and above the limit", () => {
    expect(outcome(() => decodeLeaf(signed.sig))).to.equal("malformed");
    expect(outcome(() => encodeLeaf(signed.bytes, raw.fill(63, 1)))).to.equal("out-of-range");
    expect(outcome(() => encodeLeaf(new Uint8Array(), signed.sig))).to.equal("out-of-range");
    expect(outcome(() => decodeSigned(voteCodec, new Uint8Array(MAX_INPUT_BYTES + 1)))).to.equal("malformed");
  });
});

describe("limits", () => {
  const excluded = (count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => Uint8Array.of(i >> 16, i >> 8, i, ...raw.fill(29, 0)));

  it("let no input be longer than 2,097,152 bytes with its signature", () => {
    // 2,097,152 bytes less a signature and a mask without exclusions (64 + 52) are 65,532 PRIDs and some.
    const mask = { region: 1, period: { month: 24_314, k: 0 }, cbh: raw.fill(32, 1), status: 1 as const, z: 0n };
    const largest = maskCodec.encode({ ...mask, excluded: excluded(65_532) });
    expect(decodeSigned(maskCodec, raw.signed(largest)).body.excluded.length).to.equal(65_532);
    const larger = maskCodec.encode({ ...mask, excluded: excluded(65_533) });
    expect(maskCodec.decode(larger).excluded.length).to.equal(65_533);
    expect(outcome(() => decodeSigned(maskCodec, raw.signed(larger)))).to.equal("malformed");
    const tooMany = excluded(65_536);
    expect(outcome(() => maskCodec.encode({ ...mask, excluded: tooMany }))).to.equal("out-of-range");
  }).timeout(60_000);

  it("let no struct be encoded that a decoder would find too long", () => {
    const missing = Array.from({ length: 20_165 }, (_, i) => Uint8Array.of(i >> 8, i, ...raw.fill(102, 0)));
    const incomplete = { params: 1, region: 1, number: 1n, term: 1n, round: 0, da: 0 };
    expect(outcome(() => incompleteCodec.encode({ ...incomplete, missing }))).to.equal("out-of-range");
    const fits = incompleteCodec.encode({ ...incomplete, missing: missing.slice(1) });
    expect(incompleteCodec.decode(fits).missing.length).to.equal(20_164);
  });

  it("let a bills transaction have 1,000 entries and no more", () => {
    const entries = Array.from({ length: 1001 }, (_, i) => ({
      bid: Uint8Array.of(...raw.fill(14, 0), i >> 8, i),
      revision: 0,
      cid: raw.fill(36, 1),
      hash: raw.fill(32, 2),
    }));
    const bytes = billsCodec.encode({ month: raw.MONTH, entries: entries.slice(1) });
    expect(bytes.length).to.equal(4 + 3 + 1000 * 87);
    expect(billsCodec.decode(bytes).entries.length).to.equal(1000);
    expect(outcome(() => billsCodec.encode({ month: raw.MONTH, entries }))).to.equal("out-of-range");
    const rawEntries = entries.map(({ bid, cid, hash }) => concat(bid, raw.fill(2, 0), Uint8Array.of(36), cid, hash));
    expect(outcome(() => billsCodec.decode(raw.bills({ entries: rawEntries })))).to.equal("malformed");
  });
});

describe("answer", () => {
  it("has the codes of section 7", () => {
    expect(ANSWER["window-early"]).to.equal(1);
    expect(ANSWER["unknown-params"]).to.equal(20);
    expect(ANSWER["other-reading"]).to.equal(32);
    expect(ANSWER["unknown-leader"]).to.equal(55);
    expect(answerName(50)).to.equal("incomplete");
    expect(answerName(99)).to.equal(undefined);
  });

  it("can say each of them in the class that its number goes with", () => {
    const rest = { params: 1, da: 0, readingHash: raw.fill(32, 0), now: 0n, retryAfterMs: 0 };
    for (const code of Object.values(ANSWER)) {
      const accepted = ([3, 4, 5] as const).filter(
        (one) => outcome(() => answerCodec.encode({ ...rest, class: one, code })) === "accepted",
      );
      const between = [ANSWER_CLASS.retry, ANSWER_CLASS.refused];
      expect(accepted, `code ${code}`).to.deep.equal(code < 16 ? [3] : code < 32 ? [4] : code < 48 ? [5] : between);
    }
  });
});

describe("genesis", () => {
  it("is a header of zeros but for its chain", () => {
    const consortium = raw.fill(32, 0xc0);
    const bytes = headerCodec.encode(genesisHeader(consortium, 0));
    expect(bytes).to.deep.equal(raw.genesis());
    expect(bytes.length).to.equal(173);
    expect(genesisHash(consortium, 0)).to.deep.equal(blockHash(bytes));
    expect(genesisHash(consortium, 1)).not.to.deep.equal(genesisHash(consortium, 0));
  });

  it("is not encoded with anything else", () => {
    const changed: Partial<Header>[] = [
      { number: 1n },
      { ts: 1n },
      { period: { month: 24_314, k: 0 } },
      { aggFault: true },
    ];
    for (const change of changed) {
      const header = { ...genesisHeader(CONSORTIUM, 1), ...change };
      expect(
        outcome(() => headerCodec.encode(header)),
        Object.keys(change)[0],
      ).to.equal("out-of-range");
    }
  });
});

describe("block and proposal", () => {
  const header = headerCodec.decode(raw.header());
  const scbh = raw.fill(64, 1);
  const leaves = [raw.readingLeaf(1, 5n), raw.readingLeaf(2, 6n)];

  it("are not encoded with leaves that do not fit the header", () => {
    const short = raw.fill(103, 1);
    expect(outcome(() => blockCodec.encode({ header, scbh, leaves: [short, raw.fill(103, 2)] }))).to.equal(
      "out-of-range",
    );
    expect(outcome(() => blockCodec.encode({ header, scbh, leaves: leaves.slice(1) }))).to.equal("out-of-range");
    const masks = { ...header, region: 0, kind: KIND.masks, count: 1, period: NO_PERIOD };
    expect(outcome(() => blockCodec.encode({ header: masks, scbh, leaves: [leaves[0] ?? short] }))).to.equal(
      "malformed",
    );
  });

  it("name readings by hash and all else by leaf", () => {
    const readings = [raw.fill(32, 1), raw.fill(32, 2)];
    expect(outcome(() => proposalCodec.encode({ header, scbh, readings }))).to.equal("accepted");
    expect(outcome(() => proposalCodec.encode({ header, scbh, leaves }))).to.equal("out-of-range");
    expect(outcome(() => proposalCodec.encode({ header, scbh, readings, leaves }))).to.equal("out-of-range");
    expect(outcome(() => proposalCodec.encode({ header, scbh }))).to.equal("out-of-range");
  });

  it("do not share memory with what they were decoded from", () => {
    const bytes = raw.block({}, ...leaves);
    const block = blockCodec.decode(bytes);
    bytes.fill(0);
    expect(block.leaves).to.deep.equal(leaves);
    const buffer = Buffer.from(raw.block({}, ...leaves));
    const ofBuffer = blockCodec.decode(buffer);
    buffer.fill(0);
    expect(ofBuffer.leaves).to.deep.equal(leaves);
  });
});

describe("hashes", () => {
  // Computed with Python's hashlib from the definition of H1.
  it("are the tagged hashes of section 7", () => {
    expect(toHex(blockHash(raw.header()))).to.equal("fcbdb8f9b5d2d97172b6c75519b378b3b48038154bbbb75bc0931f4642103485");
    expect(toHex(readingHash(raw.reading(), raw.fill(64, 0x55)))).to.equal(
      "410a92fa11a3d144dd2c8df97e34111a1ab4cad8776cdacfa6c3f65b8746df4f",
    );
    expect(toHex(billHash(raw.fill(3, 7)))).to.equal(
      "6c98a0229cf412b45aafb22fcf31d9e33e13b5cf7d5622f9049087273fde789e",
    );
    expect(toHex(caseRef(raw.fill(32, 1), raw.fill(16, 2)))).to.equal(
      "d2ec2c78946d5194624377cd7ac690d2de1e7f66c81e071083af32f5a5e83ea8",
    );
  });
});
