import {
  ackCodec,
  deriveSeeds,
  encodeReceipt,
  encodeSigned,
  isVeilgridError,
  leaf,
  merkleRoot,
  pridOf,
  readingCodec,
  readingHash,
  readingLeaf,
  readingSecret,
  signStruct,
  splitReading,
  stateKey,
  type Period,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { ReceiptCourt, type Receipted } from "../../src/customer/receipts.js";
import { parseReceipts, receiptsJson } from "../../src/input/receipt-file.js";
import { SECRETS, paramsOf } from "../support/committee.js";
import { homeOf, readingsOf, type Home } from "../support/homes.js";
import { Town } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const at = (k: number): Period => ({ month: MARCH, k });
const WH = 300n;

describe("a receipt and the ledger alone", function () {
  this.timeout(60_000);
  let town: Town;
  let home: Home;
  let consortium: Uint8Array;

  beforeEach(async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const homes = await Promise.all(names.map((name) => homeOf(name, 1, at(1438), at(1440))));
    home = homes[0] as Home;
    town = new Town({ homes, params: paramsOf(), start: Date.UTC(2026, 2, 30, 12) });
    await town.setUp();
    await town.settle();
    consortium = await town.view.consortium();
  });

  /** Reading ‖ sig of the home's first half in period 1438. */
  function reading(value = WH, secret?: Uint8Array): Uint8Array {
    const period = at(1438);
    const seeds = deriveSeeds(home.monthKey, consortium, MARCH);
    const [t, z, z2] = [leaf(seeds.s0, period.k), leaf(seeds.r0, period.k), leaf(seeds.r1, period.k)];
    // The first half does not depend on the consumption: another one is another masked value.
    const rc = splitReading(WH, z, z2).rc + value - WH;
    const body = { region: 1, period, prid: pridOf(t), rc: BigInt.asUintN(64, rc) };
    return encodeSigned(signStruct("reading", consortium, readingCodec, body, secret ?? readingSecret(t)));
  }

  /** The acks of aggregators 1, 2 and 3; the town's votes are those of 0, 1 and 2. */
  function receipted(of = reading(), change: { params?: number; secret?: Uint8Array } = {}): Receipted {
    const root = merkleRoot([readingHash(of)]);
    const acks = [1, 2, 3].map((da) => {
      const ack = { params: change.params ?? 1, da, region: 1, period: at(1438), count: 1, root };
      const secret = da === 3 && change.secret !== undefined ? change.secret : (SECRETS.da[da] as Uint8Array);
      return { ...signStruct("ack", consortium, ackCodec, ack, secret), index: 0, path: [] };
    });
    return { reading: of, receipt: encodeReceipt(acks) };
  }

  async function verdict(of: Receipted): Promise<string> {
    try {
      const { verdict: said, names } = await new ReceiptCourt(town.committee).judge(of);
      return [said, ...names].join(" ");
    } catch (error) {
      if (isVeilgridError(error)) return error.code;
      throw error;
    }
  }

  /** Commits the period's block: of all homes, or with other leaves for the first one's. */
  async function commit(own: readonly Uint8Array[]): Promise<void> {
    const others = town.homes.slice(1).flatMap((one) => readingsOf(one, consortium, at(1438), WH));
    await town.runTo(town.startOf(at(1439)));
    await town.readings(1, at(1438), [...others, ...own]);
  }

  it("decides nothing before the block, and acquits by the reading in it", async () => {
    expect(await verdict(receipted())).to.equal("undecided");
    await commit(readingsOf(home, consortium, at(1438), WH));
    expect(await verdict(receipted())).to.equal("acquitted");
  });

  it("acquits by two others of its PRID, and not by one", async () => {
    const [one, two] = [reading(1n), reading(2n)].map(readingLeaf) as [Uint8Array, Uint8Array];
    await commit([one, two]);
    expect(await verdict(receipted())).to.equal("acquitted");
    expect(await verdict(receipted(reading(1n)))).to.equal("acquitted");
  });

  it("convicts those by name who acked a reading and, more than f, voted for a block without it", async () => {
    await commit([]);
    expect(await verdict(receipted())).to.equal("convicted Da1 Da2");
  });

  it("convicts them too where another one under its PRID alone is there", async () => {
    await commit([readingLeaf(reading(1n))]);
    expect(await verdict(receipted())).to.equal("convicted Da1 Da2");
  });

  it("convicts nobody by what is no receipt", async () => {
    await commit([]);
    const good = receipted();
    const spoilt = { ...good, receipt: good.receipt.slice() };
    spoilt.receipt[60] = (spoilt.receipt[60] as number) ^ 1;
    expect(await verdict(spoilt)).to.equal("bad-signature");
    expect(await verdict(receipted(reading(), { secret: SECRETS.cc }))).to.equal("bad-signature");
    // Acks of another reading, and a reading that nobody signed although a quorum acked it.
    expect(await verdict({ ...good, reading: reading(7n) })).to.equal("not-acked");
    expect(await verdict(receipted(reading(WH, SECRETS.cc)))).to.equal("bad-signature");
    // A version that does not rule the period: its keys may be in any hands.
    expect(await verdict(receipted(reading(), { params: 2 }))).to.equal("wrong-params");
    expect(await verdict({ ...good, receipt: good.receipt.subarray(1) })).to.equal("malformed");
    expect(await verdict({ ...good, reading: good.reading.subarray(1) })).to.equal("malformed");
  });

  it("takes no peer's word for another block of the period", async () => {
    await commit([]);
    await town.readings(1, at(1439), await town.leavesOf(1, at(1439), () => WH));
    const [own, other] = [1438, 1439].map((k) => stateKey.readings(1, at(k))) as [string, string];
    town.committee.state.set(own, town.committee.state.get(other) as Uint8Array);
    expect(await verdict(receipted())).to.equal("not-on-ledger");
    // A peer that hides the block has nobody acquitted or convicted.
    town.committee.state.delete(own);
    expect(await verdict(receipted())).to.equal("undecided");
  });

  it("is a file that names nobody, read strictly", () => {
    const good = receiptsJson([receipted()]);
    expect(parseReceipts(JSON.stringify(good))).to.deep.equal([receipted()]);
    expect(Object.keys(good)).to.deep.equal(["format", "version", "receipts"]);
    const bad = [{ ...good, meter: "a" }, { ...good, receipts: [] }, { ...good, version: 2 }, []];
    for (const wrong of bad) expect(() => parseReceipts(JSON.stringify(wrong))).to.throw("bad receipt file");
    expect(() => parseReceipts("{")).to.throw("it is no JSON");
  });
});
