import { expect } from "chai";
import {
  draftReport,
  encodeReport,
  explainPeriod,
  isVeilgridError,
  parseReport,
  parseTariff,
  periodKeys,
  seedsOf,
  sha256,
  toHex,
  verifyBill,
  type BillLedger,
  type BillReport,
  type PeriodFacts,
  type PeriodKeys,
  type ReportInput,
  type ReportPenalties,
  type SeedLeaf,
  type Tariff,
} from "../src/index.js";
import {
  CASE_KEY,
  FIRST,
  MONTH,
  bid,
  caseIdOf,
  consortium,
  worldOf,
  type Event,
  type Run,
  type World,
} from "./billworld.js";

const tariff = parseTariff({
  minorDigits: 2,
  tiers: [[300, 210000], [null, 340000]], // prettier-ignore
  fixed: [123456789],
  taxes: [190000],
  adjustment: { thresholdWh: 400000, below: 0, above: 5 },
});

/** Everything that can happen to a reading, a move to another region between the third and the fourth period. */
const EVENTS: readonly Event[] = [
  { c: 500n, price: 245_300n },
  { c: -1250n, price: -40_100n },
  { halves: "none" },
  { c: 50_000n, price: 0n },
  { c: 50_001n },
  { c: -50_001n, tooFew: true },
  { c: 12n, halves: "first" },
  { c: 999n, halves: "second twice" },
  { noEpoch: true },
  { c: 344n, tooFew: true },
];
const RUNS: readonly Run[] = [
  { region: 1, number: 1n, key: 1, events: EVENTS.slice(0, 3) },
  { region: 2, number: 77n, key: 2, events: EVENTS.slice(3) },
];
const world = worldOf(RUNS);

function inputOf({ leaves, readings, prices }: World, by: Tariff): ReportInput {
  return {
    consortium,
    bid,
    month: MONTH,
    supply: { from: FIRST, to: FIRST + readings.length },
    periodSeconds: 1800,
    timeZone: "Europe/Zurich",
    tariff: by,
    readings,
    prices,
    leaves,
  };
}

function reportOf(of: World, by: Tariff = tariff): BillReport {
  return draftReport(inputOf(of, by));
}

const honest = reportOf(world);

async function named(report: BillReport, ledger: BillLedger = world.ledger): Promise<string[]> {
  const { differences } = await verifyBill(report, ledger);
  return differences.map(({ code, k }) => (k === undefined ? code : `${code}@${k - FIRST}`));
}

/** The report with one leaf changed. */
function withLeaf(i: number, change: (leaf: BillReport["seedLeaves"][number]) => object): BillReport {
  return {
    ...honest,
    seedLeaves: honest.seedLeaves.map((leaf, at) => (at === i ? { ...leaf, ...change(leaf) } : leaf)),
  };
}

/** The world's ledger with one period's facts changed. */
function withFacts(at: number, change: Partial<PeriodFacts>): BillLedger {
  return {
    ...world.ledger,
    async period(region, period) {
      const facts = await world.ledger.period(region, period);
      return facts && period.k === FIRST + at ? { ...facts, ...change } : facts;
    },
  };
}

describe("verification of a bill", () => {
  it("finds nothing on an honest bill, whatever happened to its readings", async () => {
    const { columns, feedback } = honest;
    expect(columns.consumptionWh).to.deep.equal([500, -1250, 0, 50000, 0, 0, 0, 0, 0, 344]);
    expect(columns.quality).to.deep.equal([0, 0, 1, 0, 1, 1, 1, 1, 3, 0]);
    expect(columns.priceMicro[8]).to.be.null;
    expect(feedback).to.deep.equal({ energyWh: 49594, measured: 4, missing: 6, estimated: 0, threshold: "below" });
    const { differences, figures } = await verifyBill(parseReport(encodeReport(honest)), world.ledger);
    expect(differences).to.deep.equal([]);
    expect(figures.total).to.equal(honest.total);
    expect(figures.lines).to.deep.equal(honest.lines);
  });

  it("finds nothing on an honest bill with estimates", async () => {
    const events: Event[] = Array.from({ length: 50 }, (_, i) => (i === 49 ? { halves: "none" } : { c: BigInt(i) }));
    const estimated = worldOf([{ region: 1, number: 3n, key: 9, events }]);
    const report = reportOf(estimated, parseTariff({ minorDigits: 2, missingRule: "last-day" }));
    expect(report.columns.consumptionWh[49]).to.equal(1);
    expect(report.feedback).to.deep.equal({ energyWh: 1177, measured: 49, missing: 0, estimated: 1 });
    expect(await named(report, estimated.ledger)).to.deep.equal([]);
  });

  it("names each figure that is not the ledger's", async () => {
    const column = (name: keyof BillReport["columns"], at: number, cell: number | string | null): BillReport => ({
      ...honest,
      columns: { ...honest.columns, [name]: honest.columns[name]?.map((old, i) => (i === at ? cell : old)) },
    });
    expect(await named(column("consumptionWh", 1, -1249))).to.deep.equal(["wrong-consumption@1"]);
    expect(await named(column("quality", 2, 2))).to.deep.equal(["wrong-quality@2"]);
    expect(await named(column("priceMicro", 0, "245301"))).to.deep.equal(["wrong-price@0"]);
    expect(await named(column("priceMicro", 8, "0"))).to.deep.equal(["wrong-price@8"]);
    expect(await named(column("costNano", 3, "1"))).to.deep.equal(["wrong-cost@3"]);
    expect(await named(column("tierNano", 3, "1"))).to.deep.equal(["wrong-tier-cost@3"]);
    expect(await named({ ...honest, total: "0" })).to.deep.equal(["wrong-total"]);
    expect(await named({ ...honest, lines: honest.lines.slice(1) })).to.include("wrong-line");
    expect(
      await named({ ...honest, lines: [...honest.lines, { name: "tax/1", nano: "0", shown: "0" }] }),
    ).to.deep.equal(["wrong-line"]);
    expect(await named({ ...honest, feedback: { ...honest.feedback, missing: 0 } })).to.deep.equal(["wrong-feedback"]);
    expect(await named({ ...honest, feedback: { ...honest.feedback, threshold: "above" } })).to.deep.equal([
      "wrong-feedback",
    ]);
  });

  it("explains the first difference", async () => {
    const wrong = {
      ...honest,
      columns: { ...honest.columns, consumptionWh: [501, ...honest.columns.consumptionWh.slice(1)] },
    };
    const { differences } = await verifyBill(wrong, world.ledger);
    expect(differences[0]).to.deep.equal({
      code: "wrong-consumption",
      k: FIRST,
      what: "the consumption in Wh",
      ledger: "500",
      report: "501",
    });
    const quality = { ...honest, columns: { ...honest.columns, quality: [1, ...honest.columns.quality.slice(1)] } };
    expect((await verifyBill(quality, world.ledger)).differences[0]).to.include({
      ledger: "measured",
      report: "missing",
    });
  });

  it("holds KGCBP to the seeds that it committed to", async () => {
    const otherSeed = withLeaf(0, ({ seeds }) => ({ seeds: { ...seeds, r1: "00".repeat(32) } }));
    expect((await named(otherSeed))[0]).to.equal("seeds-not-committed@0");
    const otherPrids = withLeaf(1, ({ seeds }) => ({ seeds: { ...seeds, s0: "00".repeat(32) } }));
    expect((await named(otherPrids)).slice(0, 2)).to.deep.equal(["seeds-not-committed@3", "prid-not-listed@3"]);
    const path = honest.seedLeaves[0]?.path as BillReport["seedLeaves"][number]["path"];
    expect(await named(withLeaf(0, () => ({ path: { ...path, index: path.index + 1 } })))).to.deep.equal([
      "seeds-not-committed@0",
    ]);
    expect(await named(withLeaf(0, () => ({ path: { ...path, count: path.count + 1 } })))).to.deep.equal([
      "seeds-not-committed@0",
    ]);
    expect(await named(withLeaf(0, () => ({ path: { ...path, hashes: path.hashes.slice(1) } })))).to.deep.equal([
      "seeds-not-committed@0",
    ]);
    expect(await named({ ...honest, bid: "00".repeat(16) })).to.deep.equal([
      "seeds-not-committed@0",
      "seeds-not-committed@3",
    ]);
    expect(await named(withLeaf(0, () => ({ epoch: { region: 1, number: "2" } })))).to.deep.equal(["unknown-epoch"]);
    // The leaf of region 2 begins with its fourth period: it rules none before.
    expect((await named(withLeaf(0, () => ({ epoch: { region: 2, number: "77" } }))))[0]).to.equal(
      "wrong-first-period@0",
    );
  });

  it("sees that a leaf was kept back: the older one's PRIDs do not pass the filter", async () => {
    const kept = { ...honest, seedLeaves: honest.seedLeaves.slice(0, 1) };
    const inOneRegion = worldOf([
      { region: 1, number: 1n, key: 1, events: EVENTS.slice(0, 3) },
      { region: 1, number: 9n, key: 2, events: EVENTS.slice(3) },
    ]);
    const differences = await named(kept, inOneRegion.ledger);
    expect(differences.slice(0, 2)).to.deep.equal(["prid-not-listed@3", "prid-not-listed@3"]);
    expect(differences).to.include("wrong-consumption@3");
  });

  it("refuses another consortium's bill", async () => {
    expect(await named({ ...honest, consortium: "00".repeat(32) })).to.deep.equal(["wrong-consortium"]);
  });

  it("holds the mask release to the customer's own readings", async () => {
    const all = (): boolean => true;
    const none = (): boolean => false;
    expect(await named(honest, withFacts(0, { excluded: all }))).to.deep.equal([
      "wrongly-excluded@0",
      "wrongly-excluded@0",
    ]);
    // Of a half that is not in the block nothing need be excluded.
    expect(await named(honest, withFacts(6, { excluded: none }))).to.deep.equal(["not-excluded@6"]);
    expect(await named(honest, withFacts(2, { excluded: none }))).to.deep.equal([]);
    expect(await named(honest, withFacts(4, { excluded: none }))).to.deep.equal(["not-excluded@4", "not-excluded@4"]);
  });

  it("follows the ledger where it differs from what was billed", async () => {
    expect(await named(honest, withFacts(0, { price: undefined }))).to.include.members([
      "no-price@0",
      "wrong-quality@0",
      "wrong-total",
    ]);
    expect(await named(honest, withFacts(3, { maxWhPerPeriod: 49_999n }))).to.include.members([
      "not-excluded@3",
      "wrong-quality@3",
      "wrong-consumption@3",
    ]);
    expect((await named(honest, withFacts(0, { price: 1n })))[0]).to.equal("wrong-price@0");
  });

  it("works without filters and releases at hand", async () => {
    const bare: BillLedger = {
      ...world.ledger,
      async period(region, period) {
        const facts = await world.ledger.period(region, period);
        return (
          facts && { maxWhPerPeriod: facts.maxWhPerPeriod, price: facts.price, readings: (p) => facts.readings(p) }
        );
      },
    };
    expect(await named(honest, bare)).to.deep.equal([]);
  });

  describe("with eliminated spans and penalties", () => {
    const charging = parseTariff({ minorDigits: 2, faultPenalty: "5000000000", taxes: [100000] });
    const events: readonly Event[] = [
      { c: 500n },
      { eliminated: true, halves: "none" },
      { eliminated: true, halves: "none" },
      { c: 300n },
      { halves: "none", verdict: { silent: 2 } },
      { halves: "first", verdict: { orphan: 1 } },
      { halves: "second twice", verdict: { conflict: 1 } },
      { c: 50_001n, verdict: { implausible: 1 } },
      { c: 7n, verdict: { silent: 1 } },
      { halves: "none" },
      { halves: "none", verdict: { orphan: 1, conflict: 1, implausible: 1 } },
    ];
    const faulty = worldOf([{ region: 4, number: 5n, key: 3, events }]);
    const eliminated = [{ from: FIRST + 1, to: FIRST + 3 }];

    const chargedFor = (...at: readonly number[]): BillReport =>
      draftReport({
        ...inputOf(faulty, charging),
        eliminated,
        penalties: { caseKey: CASE_KEY, cases: at.map((i) => ({ k: FIRST + i, id: caseIdOf(FIRST + i) })) },
      });
    const findings = (report: BillReport): Promise<string[]> => named(report, faulty.ledger);

    it("finds nothing where the ledger's filters and verdicts say the same", async () => {
      const report = chargedFor(4, 5, 6, 7);
      expect(report.lines.map(({ name, nano }) => [name, nano])).to.deep.equal([
        ["energy", "201750000"],
        ["penalty", "20000000000"],
        ["tax/0", "2020175000"],
      ]);
      expect(report.columns.quality).to.deep.equal([0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1]);
      expect(await findings(parseReport(encodeReport(report)))).to.deep.equal([]);
      expect(await findings(chargedFor())).to.deep.equal([]);
    });

    it("sees a period called eliminated whose PRIDs are in the filter, and the other way round", async () => {
      const calling = (from: number, to: number): BillReport => ({
        ...chargedFor(),
        eliminated: [{ from: FIRST + from, to: FIRST + to }],
      });
      expect(await findings(calling(1, 4))).to.deep.equal([
        "not-eliminated@3",
        "wrong-quality@3",
        "wrong-consumption@3",
        "wrong-cost@3",
        "wrong-line",
        "wrong-line",
        "wrong-total",
        "wrong-feedback",
        "wrong-feedback",
        "wrong-feedback",
      ]);
      expect(await findings(calling(2, 3))).to.deep.equal(["prid-not-listed@1", "prid-not-listed@1"]);
      expect(await findings({ ...chargedFor(), eliminated: [] })).to.have.length(4);
    });

    it("measures nothing in an eliminated span", async () => {
      const { columns, ...rest } = chargedFor();
      const measured = { ...rest, columns: { ...columns, quality: columns.quality.map((q, i) => (i === 1 ? 0 : q)) } };
      expect(await findings(measured)).to.deep.equal(["wrong-quality@1"]);
    });

    it("refuses a penalty without a verdict on the ledger", async () => {
      expect(await findings(chargedFor(9))).to.deep.equal(["no-verdict@9"]);
      const { penalties, ...rest } = chargedFor(4);
      const other = { ...(penalties as ReportPenalties), caseKey: "00".repeat(32) };
      expect(await findings({ ...rest, penalties: other })).to.deep.equal(["no-verdict@4"]);
      const swapped = { ...(penalties as ReportPenalties), caseId: [toHex(caseIdOf(FIRST + 5))] };
      expect(await findings({ ...rest, penalties: swapped })).to.deep.equal(["no-verdict@4"]);
    });

    it("refuses a penalty for a period in which the meter was complete or not due, or that no verdict counts", async () => {
      expect(await findings(chargedFor(8))).to.deep.equal(["penalty-without-fault@8"]);
      expect(await findings(chargedFor(3))).to.deep.equal(["penalty-without-fault@3"]);
      expect(await findings(chargedFor(1))).to.deep.equal(["penalty-without-fault@1"]);
      expect(await findings(chargedFor(10))).to.deep.equal(["penalty-without-fault@10"]);
      const { differences } = await verifyBill(chargedFor(8), faulty.ledger);
      expect(differences[0]?.ledger).to.equal("a complete reading");
    });

    it("counts the penalties of the line", async () => {
      const { penalties, ...rest } = chargedFor(4, 5);
      const { k, caseId, caseKey } = penalties as ReportPenalties;
      const fewer = { caseKey, k: k.slice(1), caseId: caseId.slice(1) };
      expect(await findings({ ...rest, penalties: fewer })).to.deep.equal(["wrong-line", "wrong-line", "wrong-total"]);
    });

    it("says so in an explanation", async () => {
      const report = chargedFor(4);
      const gone = await explainPeriod(report, FIRST + 1, faulty.ledger);
      expect([gone.quality, gone.because, gone.complete]).to.deep.equal([
        "missing",
        "the meter was eliminated, so that no reading of it was taken",
        false,
      ]);
      expect((await explainPeriod(report, FIRST + 4, faulty.ledger)).penaltyNano).to.equal("5000000000");
      expect((await explainPeriod(report, FIRST + 5, faulty.ledger)).penaltyNano).to.equal(undefined);
    });
  });

  it("takes deltas as the report states them", async () => {
    const deltas = [
      { month: "2026-01", reason: "meter log", k: [7], billedWh: [0], settledWh: [250], nano: "61325000" },
      { month: "2026-02", reason: "meter log", k: [0], billedWh: [0], settledWh: [-10], nano: "-5" },
    ];
    const report = draftReport({
      consortium,
      bid,
      month: MONTH,
      supply: honest.supply,
      periodSeconds: 1800,
      timeZone: "UTC",
      tariff,
      readings: world.readings,
      prices: world.prices,
      leaves: world.leaves,
      deltas,
    });
    expect(report.lines.slice(-2).map(({ name, nano }) => [name, nano])).to.deep.equal([
      ["delta/0", "61325000"],
      ["delta/1", "-5"],
    ]);
    expect(await named(parseReport(encodeReport(report)))).to.deep.equal([]);
    expect(await named({ ...report, deltas: deltas.slice(0, 1) })).to.include("wrong-line");
  });
});

describe("explanation of a period", () => {
  it("opens the customer's own reading", async () => {
    const explained = await explainPeriod(honest, FIRST + 1, world.ledger);
    expect(explained).to.deep.include({
      k: FIRST + 1,
      start: 1774744200000,
      region: 1,
      quality: "measured",
      because: "both halves are on the ledger, once each",
      openedWh: -1250n,
      billedWh: -1250,
      priceMicro: "-40100",
      costNano: "50125000",
    });
    const [first, second] = explained.halves;
    const sum = (first.rc[0] as bigint) + (second.rc[0] as bigint) - first.mask - second.mask;
    expect(BigInt.asIntN(64, sum)).to.equal(-1250n);
    expect(first.prid).to.match(/^[0-9a-f]{8}$/);
    expect(first.prid).not.to.equal(second.prid);
  });

  it("says why a period is missing", async () => {
    const because = async (at: number): Promise<string> =>
      (await explainPeriod(honest, FIRST + at, world.ledger)).because;
    expect(await because(2)).to.equal("no half of the reading is on the ledger");
    expect(await because(4)).to.equal("the reading is beyond the bound of a period");
    expect(await because(6)).to.equal("only one half of the reading is on the ledger");
    expect(await because(7)).to.equal(
      "a half of the reading is on the ledger twice with different values, so it counts nowhere",
    );
    expect(await because(8)).to.equal("no epoch covers the period, so that no reading of it was taken");
    expect((await explainPeriod(honest, FIRST + 4, world.ledger)).openedWh).to.equal(50_001n);
  });

  it("never shows a PRID", async () => {
    const explained = await explainPeriod(honest, FIRST, world.ledger);
    const text = JSON.stringify(explained, (_, value: unknown) =>
      typeof value === "bigint" ? value.toString() : value,
    );
    const [keys] = periodKeys(seedsOf(honest.seedLeaves[0] as SeedLeaf), FIRST, 1) as [PeriodKeys];
    expect(explained.halves.map(({ prid }) => prid)).to.deep.equal(
      [keys.prid, keys.prid2].map((prid) => toHex(sha256(prid)).slice(0, 8)),
    );
    for (const prid of [keys.prid, keys.prid2]) expect(text).not.to.include(toHex(prid).slice(0, 8));
  });

  it("refuses a period that the bill does not cover", async () => {
    for (const k of [FIRST - 1, FIRST + 10]) {
      try {
        await explainPeriod(honest, k, world.ledger);
        expect.fail("accepted");
      } catch (error) {
        expect(isVeilgridError(error, "not-in-supply")).to.be.true;
      }
    }
  });
});
