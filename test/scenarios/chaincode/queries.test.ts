import { expect } from "chai";
import { BASIS, merkleRoot, monthEnd, paramsCodec, toHex, type CommittedBlock } from "@veilgrid/protocol";
import { Chain, MONTH, daKey, periodAt } from "../../src/consortium/chain.js";
import { ContractLedger } from "../../src/consortium/contract-ledger.js";
import { billsDraft, closeDraft, masksDraft, paramsDraft, pricesDraft } from "../../src/consortium/issued.js";
import { aggregators, memberOf, paramsOf } from "../../src/consortium/members.js";
import { codeOf, failureOf } from "../../src/consortium/refused.js";
import { reported, type Report } from "../../src/consortium/reports.js";

const BID = "00112233445566778899aabbccddeeff";
const CID = Uint8Array.of(1, 0x55, 0x12);

/** Region 1 with a priced period, a faulty one, and a bill; region 2 with an empty period. */
async function history(): Promise<Chain<ContractLedger>> {
  const chain = Chain.of(await ContractLedger.open(paramsOf()), paramsOf());
  await chain.setUp();
  await chain.commit(chain.epoch({ region: 1, periods: 2 }));
  await chain.commit(chain.epoch({ region: 2, periods: 1 }));
  const [orphan, ...others] = chain.reports() as [Report, ...Report[]];
  await chain.settle({ k: 0 });
  await chain.settle({ region: 2 }, []);
  await chain.settle({ k: 1 }, [reported(orphan.meter, 100n, [0, 1]), ...others]);
  await chain.commit(
    chain.at(
      masksDraft(
        chain.issuing,
        [0, 1].map((k) => chain.release({ k })),
      ),
    ),
  );
  const prices = [
    chain.price({ k: 0 }, { price: -7n }),
    chain.price({ k: 1 }, { consumption: 2000n }),
    chain.price({ region: 2 }, { basis: BASIS.empty, consumption: 0n }),
  ];
  await chain.commit(chain.at(pricesDraft(chain.issuing, prices)));
  chain.now = BigInt(monthEnd(MONTH + 1));
  const bid = Uint8Array.from(Buffer.from(BID, "hex"));
  const entries = [{ bid, revision: 0, cid: CID, hash: merkleRoot([]) }];
  await chain.commit(chain.at(billsDraft(chain.issuing, [{ month: MONTH, entries }])));
  return chain;
}

describe("the contract's queries", () => {
  let chain: Chain<ContractLedger>;

  before(async () => {
    chain = await history();
  });

  after(async () => {
    await chain.ledger.close();
  });

  async function ask(name: string, ...args: readonly string[]): Promise<unknown> {
    return JSON.parse(await chain.ledger.query("Cc", name, ...args)) as unknown;
  }

  async function blockOf(region: number, number: bigint): Promise<{ block: string; cert: string }> {
    const { bytes, cert } = (await chain.view.block(region, number)) as CommittedBlock;
    return { block: Buffer.from(bytes).toString("base64"), cert: Buffer.from(cert).toString("base64") };
  }

  it("say what the consortium is, and who leads it", async () => {
    expect(await ask("consortium")).to.deep.equal({
      consortium: toHex(chain.consortium),
      version: 1,
      params: toHex(paramsCodec.encode(chain.params)),
      term: "1",
      leader: toHex(daKey(chain.params, 0)),
    });
  });

  it("say that nobody leads in term 0", async () => {
    const fresh = await ContractLedger.open(paramsOf());
    await fresh.setUp();
    expect(JSON.parse(await fresh.query("Da1", "consortium"))).to.deep.include({ term: "0", leader: null });
    await fresh.close();
  });

  it("say where a chain stands", async () => {
    const { number, cbh, ts } = await chain.view.head(1);
    expect([number, ts]).to.deep.equal([3n, BigInt(Date.UTC(2013, 3, 1, 1, 10))]);
    expect(await ask("head", "1")).to.deep.equal({ region: 1, number: "3", cbh: toHex(cbh), ts: "1364778600000" });
    expect(await ask("head", "0")).to.deep.include({ region: 0, number: "3" });
    expect(await ask("head", "65535")).to.deep.include({ region: 65_535, number: "0", ts: "0" });
  });

  it("give a block with its certificate", async () => {
    expect(await ask("block", "1", "2")).to.deep.equal(await blockOf(1, 2n));
    expect(await ask("block", "0", "1")).to.deep.equal(await blockOf(0, 1n));
    expect(await ask("block", "1", "9")).to.equal(null);
    expect(await ask("block", "9", "1")).to.equal(null);
  });

  it("give a period's readings", async () => {
    const { block } = await blockOf(1, 3n);
    expect(await ask("readings", "1", "2013-04", "1")).to.deep.equal({
      number: "3",
      cbh: toHex(chain.cbh({ k: 1 })),
      aggFault: true,
      count: 11,
      block,
    });
    expect(await ask("readings", "2", "2013-04", "0")).to.deep.include({
      count: 0,
      block: (await blockOf(2, 2n)).block,
    });
    expect(await ask("readings", "1", "2013-04", "2")).to.equal(null);
    expect(await ask("readings", "1", "2013-05", "0")).to.equal(null);
  });

  it("give a period's mask release", async () => {
    const { z, excluded } = chain.release({ k: 1 });
    const sum = BigInt.asUintN(64, z + 2000n);
    expect(await ask("mask", "1", "2013-04", "1")).to.deep.equal({
      status: 1,
      z: z.toString(),
      sum: sum.toString(),
      excluded: excluded.map(toHex),
    });
    expect(excluded.length).to.equal(1);
    expect(await ask("mask", "2", "2013-04", "0")).to.equal(null);
  });

  it("give a period's price", async () => {
    expect(await ask("price", "1", "2013-04", "0")).to.deep.equal({
      price: "-7",
      basis: 1,
      consumption: "2100",
      cbh: toHex(chain.cbh()),
    });
    expect(await ask("price", "2", "2013-04", "0")).to.deep.include({ basis: 4, consumption: "0" });
    expect(await ask("price", "1", "2013-04", "5")).to.equal(null);
  });

  it("give a bill by BID and month", async () => {
    const hash = toHex(merkleRoot([]));
    expect(await ask("bill", BID, "2013-04")).to.deep.equal({ revision: 0, cid: "015512", hash });
    expect(await ask("bill", BID, "2013-05")).to.equal(null);
    expect(await ask("bill", "0".repeat(32), "2013-04")).to.equal(null);
  });

  it("list the open faults", async () => {
    expect(await ask("openFaults")).to.deep.equal([
      { region: 1, month: MONTH, k: 1, number: "3", ts: "1364778600000" },
      { region: 2, month: MONTH, k: 0, number: "2", ts: "1364776800001" },
    ]);
  });

  it("give one value of the state", async () => {
    expect(await chain.ledger.query("Da3", "state", "consortium")).to.equal(
      Buffer.from(chain.consortium).toString("base64"),
    );
    expect(await chain.ledger.query("Da3", "state", "nothing")).to.equal("");
  });

  it("are for every member, and for nobody else", async () => {
    for (const msp of ["Da0", "Da3", "Cc", "Kgcbp"]) {
      expect(await chain.ledger.query(msp, "head", "1"), msp).to.include('"number":"3"');
    }
    for (const [name, ...args] of ALL) {
      const error = await failureOf(chain.ledger.query("Stranger", name, ...args));
      expect(codeOf(error), name).to.equal("wrong-organisation");
    }
  });

  it("need a set-up", async () => {
    const fresh = await ContractLedger.open(paramsOf());
    for (const [name, ...args] of ALL) {
      expect(codeOf(await failureOf(fresh.query("Cc", name, ...args))), name).to.equal("not-set-up");
    }
    await fresh.close();
  });

  it("refuse arguments that are nonsense", async () => {
    for (const [name, ...args] of NONSENSE) {
      const error = await failureOf(chain.ledger.query("Cc", name, ...args));
      expect(codeOf(error), `${name}(${args.join()})`).to.equal("bad-argument");
    }
  });

  it("leave nothing behind", async () => {
    const before = await chain.ledger.contents();
    await ask("head", "1");
    await ask("openFaults");
    expect(await chain.ledger.contents()).to.equal(before);
  });
});

describe("the contract's queries after changes", () => {
  let chain: Chain<ContractLedger>;

  beforeEach(async () => {
    chain = await history();
  });

  afterEach(async () => {
    await chain.ledger.close();
  });

  it("are for an organisation that an earlier version named", async () => {
    for (const [version, da] of [
      [2, aggregators(5).slice(0, 4)],
      [3, [...aggregators(3), memberOf("Da4")]],
      [4, [...aggregators(3), memberOf("Da5")]],
    ] as const) {
      const next = { ...chain.params, version, da };
      await chain.commit(chain.at(paramsDraft(chain.issuing, next)));
      chain.adopt(next);
    }
    for (const msp of ["Da3", "Da4", "Da5"]) {
      expect(await chain.ledger.query(msp, "head", "0"), msp).to.include('"number":"6"');
    }
    expect(codeOf(await failureOf(chain.ledger.query("Da6", "head", "0")))).to.equal("wrong-organisation");
  });

  it("give records without bulk values when the month is closed", async () => {
    chain.now = BigInt(monthEnd(MONTH + 2));
    await chain.commit(chain.at(closeDraft(chain.issuing, [{ region: 1, month: MONTH }])));
    const readings = await chain.ledger.query("Cc", "readings", "1", "2013-04", "0");
    expect(JSON.parse(readings)).to.deep.include({ number: "2", count: 12, block: null });
    expect(await chain.ledger.query("Cc", "block", "1", "2")).to.equal("null");
    expect(JSON.parse(await chain.ledger.query("Cc", "price", "1", "2013-04", "0"))).to.deep.include({ price: "-7" });
    expect((await chain.view.fault(1, periodAt(1)))?.number).to.equal(3n);
  });
});

const ALL: readonly (readonly [string, ...string[]])[] = [
  ["consortium"],
  ["head", "1"],
  ["block", "1", "1"],
  ["readings", "1", "2013-04", "0"],
  ["mask", "1", "2013-04", "0"],
  ["price", "1", "2013-04", "0"],
  ["bill", BID, "2013-04"],
  ["openFaults"],
  ["state", "consortium"],
];

const NONSENSE: readonly (readonly [string, ...string[]])[] = [
  ...["", "-1", "01", "1.0", "0x1", "1e3", "65536", "one", " 1"].map((region) => ["head", region] as const),
  ...["0", "-1", "01", "", "99999999999999999999"].map((number) => ["block", "1", number] as const),
  ["block", "x", "1"],
  ...["2976", "-1", "", "1 "].map((k) => ["readings", "1", "2013-04", k] as const),
  ...["2013-13", "2013-00", "1969-12", "13-04", "2013-4", "2013-04-01", ""].map(
    (month) => ["mask", "1", month, "0"] as const,
  ),
  ["price", "65536", "2013-04", "0"],
  ...["", BID.toUpperCase(), BID.slice(1), `${BID}0`, "x".repeat(32)].map((bid) => ["bill", bid, "2013-04"] as const),
  ["bill", BID, "April"],
];
