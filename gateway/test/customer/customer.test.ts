import {
  BASIS,
  KIND,
  billHash,
  billsCodec,
  canonicalBytes,
  daAddress,
  encodeLeaf,
  isVeilgridError,
  monthCloses,
  padReport,
  priceCodec,
  signBody,
  stateKey,
  toHex,
  type BillReport,
  type Member,
  type Period,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { encryptBill } from "../../src/bill/encryption.js";
import { BlockReadings } from "../../src/customer/block-readings.js";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer, type VerifiedBill } from "../../src/customer/customer.js";
import { encodeTransaction } from "../../src/transport/envelopes.js";
import { SECRETS, paramsOf } from "../support/committee.js";
import { homeOf, readingsOf, type Home } from "../support/homes.js";
import { Town } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const at = (k: number): Period => ({ month: MARCH, k });
const params = paramsOf();

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "fine";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

describe("customer", function () {
  this.timeout(60_000);
  let town: Town;
  let home: Home;

  beforeEach(async () => {
    const homes = await Promise.all([0, 1, 2, 3, 4, 5].map((i) => homeOf(`home ${i}`, 1, at(1436), at(1440))));
    home = homes[0] as Home;
    town = new Town({ homes, params, start: Date.UTC(2026, 2, 30, 12) });
    await town.setUp();
    await town.settle();
    await town.periods(at(1436), 4, (_, { k }) => BigInt(k - 1000));
    await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
  });

  const open = (options?: { keptBytes: number }): Promise<CommittedMonth> =>
    CommittedMonth.open(MARCH, { view: town.view }, options);

  function customer(of: Home = home, identity = of.identity): Customer {
    return new Customer({ bid: of.enrolment.bid, identity }, town);
  }

  async function verify(): Promise<VerifiedBill> {
    return customer().verify(await open());
  }

  /** What a dishonest KGCBP could do: a signed, committed revision with another report. */
  async function reissue(change: (report: BillReport) => BillReport): Promise<void> {
    const { report } = await verify();
    const { bid, recipient } = home.enrolment;
    const plaintext = padReport(canonicalBytes(change(report)), params.billBytes);
    const ciphertext = await encryptBill(plaintext, recipient, params.billBytes);
    const { cid } = await town.content.put(ciphertext);
    const body = billsCodec.encode({ month: MARCH, entries: [{ bid, revision: 1, cid, hash: billHash(ciphertext) }] });
    const leaf = encodeLeaf(body, signBody("bills", await town.view.consortium(), body, SECRETS.kgcbp));
    const transaction = encodeTransaction({ kind: KIND.bills, leaf });
    town.network.transport("kgcbp").request(daAddress(params.da[0] as Member), "transaction", transaction);
    await town.settle();
  }

  it("verifies its bill, the same whether much or nothing of the ledger is kept in memory", async () => {
    const { verified, report, figures, entry } = await verify();
    expect(verified).to.equal(true);
    expect(report.columns.consumptionWh).to.deep.equal([436, 437, 438, 439]);
    expect(figures.total).to.equal(report.total);
    expect(entry.revision).to.equal(0);
    const tight = await open({ keptBytes: 0 });
    for (const one of town.homes) expect((await customer(one).verify(tight)).verified).to.equal(true);
  });

  it("finds every figure that is not the ledger's", async () => {
    const columns = (report: BillReport): number[] => [...report.columns.consumptionWh];
    await reissue((report) => ({
      ...report,
      columns: { ...report.columns, consumptionWh: columns(report).map((wh, i) => (i === 2 ? wh + 1 : wh)) },
    }));
    const wrong = await verify();
    expect(wrong.verified).to.equal(false);
    expect(wrong.differences.map((one) => [one.code, one.k, one.ledger, one.report])).to.deep.equal([
      ["wrong-consumption", 1438, "438", "439"],
    ]);
  });

  it("finds prices that are not the ledger's", async () => {
    await reissue((report) => ({
      ...report,
      columns: { ...report.columns, priceMicro: report.columns.priceMicro.map(() => "250001") },
    }));
    expect((await verify()).differences.map((one) => one.code)).to.deep.equal(Array(4).fill("wrong-price"));
  });

  it("finds seeds that KGCBP had not committed to", async () => {
    await reissue((report) => ({
      ...report,
      seedLeaves: report.seedLeaves.map((leaf) => ({ ...leaf, seeds: { ...leaf.seeds, r1: "00".repeat(32) } })),
    }));
    const { differences } = await verify();
    expect(differences[0]?.code).to.equal("seeds-not-committed");
  });

  it("takes no peer's word: a price that only the state says changes nothing", async () => {
    const key = stateKey.price(1, at(1437));
    const price = priceCodec.decode(town.committee.state.get(key) as Uint8Array);
    expect(price.basis).to.equal(BASIS.measured);
    town.committee.state.set(key, priceCodec.encode({ ...price, price: 1n }));
    expect((await verify()).verified).to.equal(true);
  });

  it("refuses a ledger whose state points to another block", async () => {
    const [one, two] = [1436, 1437].map((k) => stateKey.readings(1, at(k))) as [string, string];
    town.committee.state.set(one, town.committee.state.get(two) as Uint8Array);
    expect(await code(verify())).to.equal("not-on-ledger");
  });

  it("says why a bill cannot be opened", async () => {
    const month = await open();
    const other = town.homes[1] as Home;
    expect(await code(customer(home, other.identity).open(month))).to.equal("cannot-decrypt");
    const april = await CommittedMonth.open(MARCH + 1, { view: town.view });
    expect(await code(customer().open(april))).to.equal("no-bill");
    const { cid } = (await customer().open(month)).entry;
    town.content.blocks.set(toHex(cid), new Uint8Array(params.billBytes));
    expect(await code(customer().open(month))).to.equal("wrong-bill-hash");
  });

  it("refuses a report that is another customer's", async () => {
    const stranger = toHex((town.homes[1] as Home).enrolment.bid);
    await reissue((report) => ({ ...report, bid: stranger }));
    expect(await code(verify())).to.equal("wrong-bill");
  });

  it("sees a later revision when it looks again", async () => {
    const month = await open();
    expect(month.bill(home.enrolment.bid)?.revision).to.equal(0);
    await reissue((report) => report);
    expect(month.bill(home.enrolment.bid)?.revision).to.equal(0);
    await month.update();
    expect(month.bill(home.enrolment.bid)?.revision).to.equal(1);
    expect((await customer().verify(month)).verified).to.equal(true);
  });

  it("finds readings by PRID in a block: none, one or two", () => {
    const consortium = new Uint8Array(32);
    const [a, b] = readingsOf(home, consortium, at(0), 5n);
    const twice = a.slice();
    twice[39] = (twice[39] as number) ^ 255;
    const leaves = [a, b, twice].sort((x, y) => (toHex(x) < toHex(y) ? -1 : 1));
    const readings = new BlockReadings(leaves);
    expect(readings.bytes).to.equal(120);
    expect(readings.under(a.subarray(0, 32))).to.have.lengthOf(2);
    expect(readings.under(b.subarray(0, 32))).to.have.lengthOf(1);
    expect(readings.under(new Uint8Array(32))).to.deep.equal([]);
    expect(new BlockReadings([]).under(new Uint8Array(32))).to.deep.equal([]);
  });
});
