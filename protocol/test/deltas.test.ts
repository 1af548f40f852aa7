import { expect } from "chai";
import {
  billedMonthOf,
  computeBill,
  deltaNano,
  draftReport,
  encodeReport,
  isVeilgridError,
  monthNano,
  parseReport,
  parseTariff,
  verifyBill,
  type BillReport,
  type BilledMonth,
  type Correction,
  type EarlierBill,
  type EarlierBills,
  type ReportDelta,
  type ReportInput,
} from "../src/index.js";
import { FIRST, MONTH, bid, consortium, worldOf, type Event, type World } from "./billworld.js";

const tariff = parseTariff({
  minorDigits: 2,
  tiers: [[300, 210000], [null, 340000]], // prettier-ignore
  fixed: [123456789],
  taxes: [190000],
  adjustment: { thresholdWh: 1000, below: -7, above: 5 },
});

const EVENTS: readonly Event[] = [
  { c: 500n, price: 245_300n },
  { halves: "none", price: 100_000n },
  { halves: "none", price: 200_000n },
  { noEpoch: true, price: 300_000n },
];
const world = worldOf([{ region: 1, number: 1n, key: 1, events: EVENTS }]);

function inputOf({ leaves, readings, prices }: World, more: Partial<ReportInput> = {}): ReportInput {
  return {
    consortium,
    bid,
    month: MONTH,
    supply: { from: FIRST, to: FIRST + readings.length },
    periodSeconds: 1800,
    timeZone: "UTC",
    tariff,
    readings,
    prices,
    leaves,
    ...more,
  };
}

const billed = draftReport(inputOf(world));
const month: BilledMonth = billedMonthOf(billed);
const SECOND: Correction = { k: FIRST + 1, wh: 400n, price: undefined };
const THIRD: Correction = { k: FIRST + 2, wh: -20n, price: undefined };
const GAP: Correction = { k: FIRST + 3, wh: 10n, price: 300_000n };

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isVeilgridError(error)) return error.code;
    throw error;
  }
  return "fine";
}

describe("the settlement of a month", () => {
  it("is the month recomputed minus the month billed, tiers, incentive and taxes with it", () => {
    // Billed: 500 Wh x 245 300, tiers 300 x 210 000 + 200 x 340 000, fixed, below the threshold by -7, 19 % of all.
    expect(monthNano(month, [])).to.equal(122_650_000n + 131_000_000n + 123_456_789n - 7n + 71_650_289n);
    // 400 Wh x 100 000 and 400 x 340 000 of the second step; 19 % of that.
    expect(deltaNano(month, [], [SECOND])).to.equal(40_000_000n + 136_000_000n + 33_440_000n);
    // What comes after it: 10 Wh more in the step, at the no-epoch price.
    expect(deltaNano(month, [SECOND], [GAP])).to.equal(3_000_000n + 3_400_000n + 1_216_000n);
  });

  it("comes to the same in one delta or in several", () => {
    const all = [SECOND, THIRD, GAP];
    const steps = all.map((one, i) => deltaNano(month, all.slice(0, i), [one]));
    expect(steps.reduce((sum, nano) => sum + nano, 0n)).to.equal(deltaNano(month, [], all));
    const readings = [500n, 400n, -20n, 10n];
    const prices = [245_300n, 100_000n, 200_000n, 300_000n];
    const { lines } = computeBill({ tariff, periodSeconds: 1800, readings, prices });
    const truth = lines.reduce((sum, { nano }) => sum + nano, 0n);
    expect(monthNano(month, []) + deltaNano(month, [], all)).to.equal(truth);
  });

  it("estimates anew what is still missing", () => {
    const profile = Array.from({ length: 48 }, () => 1);
    const input = { minorDigits: 2, missingRule: "profile", profile };
    const estimated = { ...month, tariff: parseTariff(input) };
    // 500 Wh stand for 500 each; with 400 of the second, 450 for the third.
    expect(deltaNano(estimated, [], [SECOND])).to.equal(-100n * 100_000n - 50n * 200_000n);
  });

  it("refuses what was measured or settled, what is not on the bill, and what has no price", () => {
    expect(codeOf(() => monthNano(month, [{ k: FIRST, wh: 1n, price: undefined }]))).to.equal("measured");
    expect(codeOf(() => deltaNano(month, [SECOND], [SECOND]))).to.equal("measured");
    expect(codeOf(() => monthNano(month, [{ k: FIRST + 4, wh: 1n, price: 1n }]))).to.equal("not-in-supply");
    expect(codeOf(() => monthNano(month, [{ k: FIRST - 1, wh: 1n, price: 1n }]))).to.equal("not-in-supply");
    expect(codeOf(() => monthNano(month, [{ ...GAP, price: undefined }]))).to.equal("no-price");
  });
});

/** A delta of the month, as KGCBP makes it. */
function deltaOf(before: readonly Correction[], now: readonly Correction[], name = billed.month): ReportDelta {
  return {
    month: name,
    reason: "meter log",
    k: now.map(({ k }) => k),
    billedWh: now.map(() => 0),
    settledWh: now.map(({ wh }) => Number(wh)),
    nano: deltaNano(month, before, now).toString(),
  };
}

/** The month's own bill, which settles itself: the customer's last. */
function own(deltas: readonly ReportDelta[]): BillReport {
  return draftReport(inputOf(world, { deltas }));
}

/** The same report as one of a later month: what it says of its own month does not matter here. */
function later(name: string, deltas: readonly ReportDelta[]): BillReport {
  return { ...own([]), month: name, deltas };
}

const base: EarlierBill = { report: billed, ledger: world.ledger };

/** What is said of the deltas alone. */
async function checked(report: BillReport, earlier?: EarlierBills): Promise<readonly string[]> {
  const { differences, uncheckedDeltas } = await verifyBill(report, world.ledger, earlier);
  const wrong = differences.filter(({ code }) => code === "wrong-delta");
  return [...wrong.map(({ ledger, report: said }) => `${ledger} not ${said}`), ...uncheckedDeltas];
}

function having(bills: Readonly<Record<number, EarlierBill | "absent">>): EarlierBills {
  return (at) => Promise.resolve(bills[at] ?? "none");
}

describe("a customer's check of deltas", () => {
  it("recomputes them from the bill that they correct, with no-epoch prices off the ledger", async () => {
    const report = later("2026-05", [deltaOf([], [SECOND, THIRD, GAP])]);
    expect(await checked(report, having({ [MONTH]: base }))).to.deep.equal([]);
  });

  it("counts what the bills in between have settled, and what stands before on the same one", async () => {
    const between: EarlierBill = { report: later("2026-04", [deltaOf([], [SECOND])]), ledger: world.ledger };
    const report = later("2026-05", [deltaOf([SECOND], [THIRD]), deltaOf([SECOND, THIRD], [GAP])]);
    expect(await checked(report, having({ [MONTH]: base, [MONTH + 1]: between }))).to.deep.equal([]);
    // What was settled once is not settled again.
    const twice = later("2026-05", [deltaOf([], [SECOND])]);
    expect(await checked(twice, having({ [MONTH]: base, [MONTH + 1]: between }))).to.deep.equal([
      "the period has its reading not 209440000",
    ]);
  });

  it("names a delta that is not that, a period that was billed otherwise, and one that was measured", async () => {
    const good = deltaOf([], [SECOND]);
    const wrong = async (change: Partial<ReportDelta>): Promise<readonly string[]> =>
      checked(later("2026-04", [{ ...good, ...change }]), having({ [MONTH]: base }));
    expect(await wrong({})).to.deep.equal([]);
    expect(await wrong({ nano: "209440001" })).to.deep.equal(["209440000 not 209440001"]);
    expect(await wrong({ settledWh: [399] })).to.have.length(1);
    expect(await wrong({ billedWh: [1] })).to.deep.equal(["0 not 1"]);
    expect(await wrong({ k: [FIRST], billedWh: [500] })).to.deep.equal(["the period has its reading not 209440000"]);
    expect(await wrong({ k: [FIRST + 3] })).to.have.length(1);
  });

  it("says which months it could not recompute, where a bill is not at hand", async () => {
    const report = later("2026-05", [deltaOf([], [SECOND])]);
    expect(await checked(report)).to.deep.equal(["2026-03"]);
    expect(await checked(report, having({ [MONTH]: "absent" }))).to.deep.equal(["2026-03"]);
    expect(await checked(report, having({ [MONTH]: base, [MONTH + 1]: "absent" }))).to.deep.equal(["2026-03"]);
    expect(await checked(report, having({}))).to.deep.equal(["2026-03"]);
  });

  it("needs no other bill for the last one, which settles its own month", async () => {
    const report = parseReport(encodeReport(own([deltaOf([], [SECOND, GAP])])));
    const { differences, uncheckedDeltas } = await verifyBill(report, world.ledger);
    expect(differences).to.deep.equal([]);
    expect(uncheckedDeltas).to.deep.equal([]);
    const wrong = own([{ ...deltaOf([], [SECOND]), nano: "0" }]);
    expect(await checked(wrong)).to.deep.equal(["209440000 not 0"]);
  });
});
