import { expect } from "chai";
import { BASIS, periodEnd, priceBasis, window, type Mask, type Price, type PriceBasis } from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { daKey, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { masksDraft, pricesDraft } from "../../src/consortium/issued.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";
import { reported, type Report } from "../../src/consortium/reports.js";

type Reports = [Report, ...Report[]];

const ALL: readonly PriceBasis[] = [1, 2, 3, 4, 5];
const NO_BLOCK = new Uint8Array(32);

function draftOf(chain: Chain, ...prices: readonly Price[]): Draft {
  return chain.at(pricesDraft(chain.issuing, prices));
}

async function release(chain: Chain, ...masks: readonly Mask[]): Promise<void> {
  await chain.commit(chain.at(masksDraft(chain.issuing, masks)));
}

/** A price of a basis that measures nothing, with a block hash where its encoding asks for one. */
function unmeasured(chain: Chain, k: number, basis: PriceBasis, cbh = chain.cbh({ k })): Price {
  return chain.price({ k }, { basis, consumption: 0n, cbh: basis === BASIS.noEpoch ? NO_BLOCK : cbh });
}

/** Which bases of a period's price the ledger takes now. */
async function taken(chain: Chain, k: number): Promise<PriceBasis[]> {
  const good: PriceBasis[] = [];
  for (const basis of ALL) {
    const { consumption } = chain.price({ k });
    const price = { ...unmeasured(chain, k, basis), consumption: basis === BASIS.measured ? consumption : 0n };
    const twin = chain.on(chain.ledger.copy());
    const sealed = await twin.seal(draftOf(twin, price));
    const outcome = await twin.submit(sealed).then(
      () => "",
      (error: unknown) => (error as { code: string }).code,
    );
    if (outcome === "") good.push(basis);
    else expect(outcome, `basis ${basis}`).to.be.oneOf(["wrong-basis", "too-early"]);
  }
  return good;
}

describe("a price on the ledger", () => {
  let ready: Chain;
  let chain: Chain;

  before(async () => {
    ready = await startedChain();
    await ready.commit(ready.epoch());
    await ready.settle({ k: 0 });
    await ready.settle({ k: 1 }, []);
  });

  beforeEach(() => {
    chain = ready.on(ready.ledger.copy());
  });

  it("of a released period is measured, and nothing else", async () => {
    await release(chain, chain.release());
    expect(await taken(chain, 0)).to.deep.equal([BASIS.measured]);
    const price = chain.price();
    await chain.commit(draftOf(chain, price));
    expect(await chain.view.price(1, periodAt(0))).to.deep.equal(price);
    expect(price.consumption).to.equal(2100n);
    expect(await chain.view.priced(1, price.period.month)).to.equal(1);
  });

  it("may be zero or negative", async () => {
    await release(chain, chain.release());
    await chain.commit(draftOf(chain, chain.price({}, { price: -50_000n })));
    expect((await chain.view.price(1, periodAt(0)))?.price).to.equal(-50_000n);
  });

  it("may be of a region that exports", async () => {
    await chain.settle(
      { k: 2 },
      chain.reports((all) => all.map(({ meter }) => reported(meter, -1000n))),
    );
    await release(chain, chain.release({ k: 2 }));
    await chain.commit(draftOf(chain, chain.price({ k: 2 })));
    expect((await chain.view.price(1, periodAt(2)))?.consumption).to.equal(-6000n);
  });

  it("of a period with too few meters says so, and nothing else", async () => {
    await release(chain, { ...chain.release(), status: 2, z: 0n, excluded: [] });
    expect(await taken(chain, 0)).to.deep.equal([BASIS.tooFew]);
  });

  it("of an empty block says so, and nothing else", async () => {
    expect(await taken(chain, 1)).to.deep.equal([BASIS.empty]);
  });

  it("waits for the release until that is late, and then says so", async () => {
    const { closes } = window(periodAt(0), chain.params);
    const late = BigInt(closes + 3_600_000);
    chain.now = late - 2n;
    expect(await taken(chain, 0)).to.deep.equal([]);
    const price = unmeasured(chain, 0, BASIS.lateRelease);
    const early = await refusalOf(chain.ledger, async () => chain.submit(await chain.seal(draftOf(chain, price))));
    expect([early.code, early.retry]).to.deep.equal(["too-early", true]);
    chain.now = late - 1n;
    expect(await taken(chain, 0)).to.deep.equal([BASIS.lateRelease]);
    await chain.commit(draftOf(chain, price));
    // A late release opens consumption for statistics, never a new price.
    await release(chain, chain.release());
    expect(await refused(chain, draftOf(chain, chain.price()))).to.equal("price-exists");
  });

  it("of a late release is invalid when the release gets in first", async () => {
    chain.now += 7_200_000n;
    const price = unmeasured(chain, 0, BASIS.lateRelease);
    await release(chain, chain.release());
    expect(await refused(chain, draftOf(chain, price))).to.equal("wrong-basis");
  });

  it("that claims a release before it is there may be good later", async () => {
    const sealed = await chain.seal(draftOf(chain, chain.price()));
    const error = await refusalOf(chain.ledger, () => chain.submit(sealed));
    expect([error.code, error.retry]).to.deep.equal(["wrong-basis", true]);
  });

  it("without an epoch waits for the period's end, and says so", async () => {
    const [region, period] = [2, periodAt(7)];
    const price = chain.price({}, { region, period, basis: BASIS.noEpoch, consumption: 0n, cbh: NO_BLOCK });
    const end = BigInt(periodEnd(period, 1800));
    expect(await refused(chain, { ...draftOf(chain, price), ts: end - 1n })).to.equal("too-early");
    await chain.commit({ ...draftOf(chain, price), ts: end });
    expect(await chain.view.price(2, period)).to.deep.equal(price);
    // It is none of the prices that a month is closed by.
    expect(await chain.view.priced(2, period.month)).to.equal(0);
  });

  it("of another basis is refused where no epoch covers the period", async () => {
    chain.now += 86_400_000n;
    for (const basis of [1, 2, 3, 4] as const) {
      const price = chain.price({}, { period: periodAt(7), basis, consumption: 0n });
      expect(await refused(chain, draftOf(chain, price)), `basis ${basis}`).to.equal("wrong-basis");
    }
  });

  it("that is the second is refused", async () => {
    await release(chain, chain.release());
    await chain.commit(draftOf(chain, chain.price()));
    expect(await refused(chain, draftOf(chain, chain.price())), "the same").to.equal("price-exists");
    expect(await refused(chain, draftOf(chain, chain.price({}, { price: 1n }))), "another").to.equal("price-exists");
  });

  it("stands once in a block, and in the order of region and period", async () => {
    await release(chain, chain.release());
    const empty = unmeasured(chain, 1, BASIS.empty);
    expect(await refused(chain, draftOf(chain, chain.price(), chain.price()))).to.equal("malformed");
    expect(await refused(chain, draftOf(chain, empty, chain.price()))).to.equal("malformed");
    await chain.commit(draftOf(chain, chain.price(), empty));
    expect(await chain.view.priced(1, periodAt(0).month)).to.equal(2);
  });

  it("whose consumption is not the sum is refused", async () => {
    await release(chain, chain.release());
    for (const consumption of [2099n, 2101n, 0n, -2100n]) {
      const wrong = draftOf(chain, chain.price({}, { consumption }));
      expect(await refused(chain, wrong), consumption.toString()).to.equal("wrong-consumption");
    }
  });

  it("that names another block is refused", async () => {
    await release(chain, chain.release());
    expect(await refused(chain, draftOf(chain, chain.price({}, { cbh: chain.cbh({ k: 1 }) })))).to.equal(
      "wrong-block-hash",
    );
  });

  it("before the readings block is refused, and may be good later", async () => {
    const sealed = await chain.seal(draftOf(chain, chain.price({}, { period: periodAt(2) })));
    const error = await refusalOf(chain.ledger, () => chain.submit(sealed));
    expect([error.code, error.retry]).to.deep.equal(["no-readings-block", true]);
  });

  it("by anybody but CC is refused", async () => {
    await release(chain, chain.release());
    for (const issuer of [chain.params.kgcbp.key, daKey(chain.params, 0)]) {
      const draft = chain.at(pricesDraft({ ...chain.issuing, issuer }, [chain.price()]));
      expect(await refused(chain, draft)).to.equal("bad-signature");
    }
  });
});

describe("a price in release mode upfront", () => {
  let chain: Chain;

  beforeEach(async () => {
    chain = await startedChain({ release: "upfront" });
    await chain.commit(chain.epoch());
    const [own, ...others] = chain.reports() as Reports;
    await chain.settle({ k: 0 });
    await chain.settle({ k: 1 }, [reported(own.meter, 100n, [1, 0]), ...others]);
    await chain.settle({ k: 2 }, [reported(own.meter, 100n, [1, 2]), ...others]);
  });

  it("is measured by the epoch's Z where there is no fault", async () => {
    expect(await taken(chain, 0)).to.deep.equal([BASIS.measured]);
    await chain.commit(draftOf(chain, chain.price()));
    expect((await chain.view.price(1, periodAt(0)))?.consumption).to.equal(2100n);
  });

  it("is measured by a correction where there is a fault, or late", async () => {
    chain.now += 7_200_000n;
    expect(await taken(chain, 1)).to.deep.equal([BASIS.lateRelease]);
    await release(chain, chain.release({ k: 1 }));
    expect(await refused(chain, draftOf(chain, unmeasured(chain, 1, BASIS.lateRelease)))).to.equal("wrong-basis");
    await chain.commit(draftOf(chain, chain.price({ k: 1 }, { consumption: 2000n })));
  });

  it("measures nothing where a PRID stands twice: its mask is in Z, its readings count nowhere", async () => {
    expect(await taken(chain, 2)).to.deep.equal([]);
    chain.now += 7_200_000n;
    expect(await taken(chain, 2)).to.deep.equal([BASIS.lateRelease]);
  });

  it("is measured from what is there: not of a period whose values are deleted", async () => {
    const readings = { number: 2n, cbh: chain.cbh(), aggFault: false, count: 12 };
    expect(await priceBasis(chain.view, 1, periodAt(0), { params: chain.params, readings })).to.deep.equal({
      basis: BASIS.measured,
      consumption: 2100n,
    });
    const deleted = { params: chain.params, readings: { ...readings, number: 99n } };
    expect(await priceBasis(chain.view, 1, periodAt(0), deleted)).to.deep.equal({
      basis: BASIS.lateRelease,
      consumption: 0n,
    });
  });
});
