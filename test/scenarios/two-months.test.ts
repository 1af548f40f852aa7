import { expect } from "chai";
import { addPeriods, type Period } from "@veilgrid/protocol";
import type { MeterWish, Run, World } from "@veilgrid/gateway";
import { caseLines, dueCases, wrongBills } from "../src/months/differences.js";
import { dueSettled, Months, openReports, type LivedMonths, type Reports } from "../src/months/lived-months.js";
import { dueOpening, tryOwners } from "../src/months/opening.js";
import { FAULT_KINDS, Story } from "../src/months/story.js";
import { Truth, type Terms } from "../src/months/truth.js";
import { MeterCsv } from "../src/world/meter-csv.js";
import { columns } from "../src/world/tables.js";

const SEED = process.env.VEILGRID_TEST_SEED ?? "two months";
/** Sixteen real homes in the last five hours of April and the first three of May. */
const CSV = MeterCsv.sgsc(16, 16, "2013-04-30T19:00Z");
const STORY = new Story({
  seed: SEED,
  csv: CSV,
  regions: 2,
  percent: 8,
  changes: {
    eliminated: { home: 1, from: 2, to: 7 },
    moved: { home: 2, from: 4, region: 2 },
    sold: { home: 4, from: 5, customer: "the buyer" },
    replaced: { home: 7, from: 5 },
    rekeyed: { home: 6, from: 3, told: 0 },
  },
});
const FIRST: Period = { month: 12 * 2013 + 3, k: 29 * 48 + 38 };
const TERMS: Terms = { minMeters: 5, rule: "profile" };

/** Everything is decided before the first epoch is sent, for periods within it: it is cut where a change holds. */
async function change(world: World): Promise<void> {
  const { eliminated, moved, sold, replaced, rekeyed } = STORY.options.changes;
  const at = (n: number): Period => addPeriods(FIRST, n, 1800);
  const wishes: MeterWish[] = [
    { kind: "move", meter: STORY.name(moved.home), region: moved.region, at: at(moved.from) },
    { kind: "sell", meter: STORY.name(sold.home), customer: sold.customer, at: at(sold.from) },
    {
      ...{ kind: "replace", meter: STORY.name(replaced.home), at: at(replaced.from) },
      ...{ device: "a new one", key: "fresh", compromised: false },
    },
    { kind: "rekey", meter: STORY.name(rekeyed.home), compromised: true, at: at(rekeyed.from) },
  ];
  for (const wish of wishes) await world.changeMeter(wish);
  const { elimination } = world.kgcbp;
  await elimination.eliminate(STORY.name(eliminated.home), { from: at(eliminated.from) });
  await elimination.reinstate(STORY.name(eliminated.home), { from: at(eliminated.to) });
}

describe(`two months in which meters fail and change (seed ${SEED})`, function () {
  this.timeout(300_000);
  const truth = new Truth(STORY, TERMS);
  const customers = truth.customers();
  let lived: LivedMonths;
  let reports: readonly Reports[];
  let run: Run;

  before(async () => {
    const months = new Months(STORY, TERMS);
    run = await months.begin();
    lived = await months.live(run, [{ n: undefined, what: "changes", act: change }], 14);
    reports = await openReports(run, customers);
  });

  it("has every kind of fault, and sums that are not released", () => {
    const faults = [1, 2].flatMap((region) => CSV.starts.flatMap((_, n) => [...STORY.faultsIn(region, n).values()]));
    expect(new Set(faults)).to.deep.equal(new Set([...FAULT_KINDS, "keyless"]));
    expect(truth.periods().filter(({ consumption_wh }) => consumption_wh === "").length).to.be.above(0);
  });

  it("has every regional sum exact over the counted meters", () => {
    const due = truth.periods();
    expect(columns(lived.finished.periods, Object.keys(due[0] as object))).to.deep.equal(due);
  });

  it("closes every case with the right meter, and names no honest one", () => {
    expect(caseLines(lived.cases)).to.deep.equal(dueCases(STORY, truth));
  });

  it("has every bill exact with its flags, and its deltas bring two months to the truth of the file", () => {
    expect(wrongBills(truth, customers, reports)).to.deep.equal([]);
    expect(lived.finished.outcome.bills.filter(({ verified }) => !verified)).to.deep.equal([]);
    expect(lived.finished.audit.findings).to.deep.equal([]);
  });

  it("settles every log: what was missing, and nothing that was measured", () => {
    expect([...lived.settled.values()]).to.deep.equal(CSV.households.map((_, home) => dueSettled(STORY, home)));
  });

  it("opens to the seller of a meter the seller's periods, and to the buyer the buyer's, with all that is in their bills", async () => {
    const tried = await tryOwners(run, customers, reports, STORY.options.changes.sold.home);
    const opened = tried.map(({ opening }) => ({ wh: [...opening.wh], halves: opening.halves.size }));
    expect(opened).to.deep.equal(tried.map(({ customer }) => dueOpening(STORY, customer)));
    const [seller, buyer] = tried.map(({ opening }) => opening.halves);
    expect([...(seller ?? [])].filter((prid) => buyer?.has(prid))).to.deep.equal([]);
    expect(opened.map(({ halves }) => halves > 0)).to.deep.equal([true, true]);
  });

  it("refuses what comes late", () => {
    expect(new Set(lived.late)).to.deep.equal(new Set(["window-late"]));
  });
});
