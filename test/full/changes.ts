import { exportLedger, SeededRandom, type MeterWish, type World } from "@veilgrid/gateway";
import { addPeriods, type Period } from "@veilgrid/protocol";
import { join } from "node:path";
import { caseLines, dueCases, wrongBills } from "../src/months/differences.js";
import { Months, dueSettled, openReports, type LivedMonths, type Moment } from "../src/months/lived-months.js";
import { dueOpening, tryOwners } from "../src/months/opening.js";
import { Story, type Changes } from "../src/months/story.js";
import { Truth } from "../src/months/truth.js";
import { MeterCsv } from "../src/world/meter-csv.js";
import { scratchFolder } from "../src/world/scratch.js";
import { columns } from "../src/world/tables.js";
import { checkAudit } from "./day.js";
import { count, seconds, type Report } from "./report.js";

const SEED = process.env.VEILGRID_TEST_SEED ?? "changes";
const REGIONS = 2;
const PERCENT = 5;
const DAY = 48;
/** 15:00: the epoch of the next day is sent, so that a change holds from the day after it. */
const AFTERNOON = 30;
/** The month's days on which something happens to a meter. */
const LAST_DAY = 27;
const APRIL: Period = { month: 12 * 2013 + 3, k: 0 };
const MAY = Date.UTC(2013, 4, 1);

/** The file's thirty days as April, and once more as the first thirty of May. */
function twoMonths(): MeterCsv {
  const { households, starts, cells } = MeterCsv.sgsc();
  const [first] = starts as [number];
  const from = (begin: number): number[] => starts.map((start) => start - first + begin);
  return new MeterCsv(households, [...from(Date.UTC(2013, 3, 1)), ...from(MAY)], [...cells, ...cells]);
}

/** Five homes, and the days on which something happens to each: drawn. A day counts from 0. */
function drawn(homes: number): { readonly homes: readonly number[]; readonly days: readonly number[] } {
  const random = SeededRandom.of(SEED);
  const all = Array.from({ length: homes }, (_, home) => home);
  const place = new Map(all.map((home) => [home, random.below(1_000_000, "home", home)]));
  all.sort((a, b) => (place.get(a) as number) - (place.get(b) as number));
  return { homes: all.slice(0, 5), days: [0, 1, 2, 3, 4].map((i) => 1 + random.below(LAST_DAY - 6, "day", i)) };
}

/** What happens, and the moments at which the operator does it. */
interface Plan {
  readonly changes: Changes;
  readonly moments: readonly Moment[];
}

function planOf(csv: MeterCsv): Plan {
  const { homes, days } = drawn(csv.households.length);
  const [out, moved, sold, replaced, rekeyed] = homes as [number, number, number, number, number];
  const [outOn, movedOn, soldOn, replacedOn, rekeyedOn] = days as [number, number, number, number, number];
  const holds = (day: number): number => (day + 2) * DAY;
  const name = (home: number): string => csv.households[home] as string;
  const at = (day: number, what: string, act: Moment["act"]): Moment => ({ n: day * DAY + AFTERNOON, what, act });
  const region = moved % REGIONS === 0 ? 2 : 1;
  const inOn = outOn + 4;
  const wish = (day: number, asked: MeterWish): Moment =>
    at(day, asked.kind, async (world) => {
      requireFrom((await world.changeMeter(asked)).change.from, holds(day), asked.kind);
    });
  const moments = [
    at(outOn, "eliminate", async ({ kgcbp }) => {
      requireFrom((await kgcbp.elimination.eliminate(name(out))).from, holds(outOn), "eliminate");
    }),
    at(inOn, "reinstate", async ({ kgcbp }) => {
      requireFrom((await kgcbp.elimination.reinstate(name(out))).from, holds(inOn), "reinstate");
    }),
    wish(movedOn, { kind: "move", meter: name(moved), region }),
    wish(soldOn, { kind: "sell", meter: name(sold), customer: "the buyer" }),
    wish(replacedOn, { kind: "replace", meter: name(replaced), device: "a new one", key: "fresh", compromised: false }),
    wish(rekeyedOn, { kind: "rekey", meter: name(rekeyed), compromised: true }),
  ];
  const changes = {
    eliminated: { home: out, from: holds(outOn), to: holds(inOn) },
    moved: { home: moved, from: holds(movedOn), region },
    sold: { home: sold, from: holds(soldOn), customer: "the buyer" },
    replaced: { home: replaced, from: holds(replacedOn) },
    rekeyed: { home: rekeyed, from: holds(rekeyedOn), told: rekeyedOn * DAY + AFTERNOON },
  };
  return { changes, moments: moments.sort((a, b) => (a.n ?? 0) - (b.n ?? 0)) };
}

/** @throws Error unless a change holds from the nth period: the first that no sent epoch has. */
function requireFrom(from: Period, n: number, what: string): void {
  const due = addPeriods(APRIL, n, 1800);
  if (due.k !== from.k || due.month !== from.month) throw new Error(`${what} holds from ${from.k}, not from ${due.k}`);
}

function checkSame(report: Report, what: string, said: readonly unknown[], due: readonly unknown[]): void {
  const wrong = due.findIndex((one, i) => JSON.stringify(one) !== JSON.stringify(said[i]));
  const holds = wrong < 0 && said.length === due.length;
  const figure = `${count(due.length)} of ${count(said.length)}`;
  const difference = `${JSON.stringify(said[wrong])} instead of ${JSON.stringify(due[wrong])}`;
  report.check(what, holds, holds || wrong < 0 ? figure : difference);
}

/** Counts by their names, in the names' order. */
function sorted(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
}

function checkCases(report: Report, story: Story, truth: Truth, { cases, late }: LivedMonths): void {
  const named = cases.reduce((sum, { meters }) => sum + meters.length, 0);
  checkSame(
    report,
    "every case is closed with the right meters, and no other is named",
    caseLines(cases),
    dueCases(story, truth),
  );
  report.note("cases, and meters named in them", `${count(cases.length)}, ${count(named)}`);
  const others = late.filter((answer) => answer !== "window-late").length;
  report.check("what comes late is refused as that", late.length > 0 && others === 0, count(late.length));
}

async function checkLedger(report: Report, world: World): Promise<void> {
  const file = join(scratchFolder("export"), "ledger.vgl");
  await exportLedger(world.ledger, file);
  await checkAudit(report, file);
}

/** A month of failing and changing meters and the one after it, held to the file. */
export async function changes(report: Report): Promise<void> {
  const csv = twoMonths();
  const plan = planOf(csv);
  const story = new Story({ seed: SEED, csv, regions: REGIONS, percent: PERCENT, changes: plan.changes });
  const truth = new Truth(story, { minMeters: 10, rule: "last-day" });
  report.note("seed", SEED);
  report.note("meters that change", JSON.stringify(plan.changes));
  const months = new Months(story, { minMeters: 10, rule: "last-day" }, (text) => {
    report.progress(text);
  });
  const began = performance.now();
  const run = await months.begin();
  const lived = await months.live(run, plan.moments, story.firstMonth + 14 * DAY);
  report.note("two months of 50 homes", seconds((performance.now() - began) / 1000));
  const due = truth.periods();
  const rows = columns(lived.finished.periods, Object.keys(due[0] as object));
  checkSame(report, "every regional sum is exact over the counted meters, and its price", rows, due);
  checkCases(report, story, truth, lived);
  const settled = [...lived.settled.values()];
  const dueCounts = csv.households.map((_, home) => sorted(dueSettled(story, home)));
  checkSame(report, "every log settles what was missing, and that alone", settled.map(sorted), dueCounts);
  report.note("periods settled", count(settled.reduce((sum, { settled: more = 0 }) => sum + more, 0)));
  const customers = truth.customers();
  const reports = await openReports(run, customers);
  const wrong = wrongBills(truth, customers, reports);
  const bills = reports.flat().filter((one) => one !== undefined).length;
  report.check(
    "every bill is exact with its flags, and two months with their deltas are the file's, to the unit",
    wrong.length === 0,
    wrong.length === 0 ? `${count(bills)} bills of ${count(customers.length)} customers` : wrong.slice(0, 3).join("; "),
  );
  const verified = lived.finished.outcome.bills.filter((one) => one.verified).length;
  report.check("every bill verifies from the ledger", verified === bills, `${verified} of ${bills}`);
  const tried = await tryOwners(run, customers, reports, plan.changes.sold.home);
  for (const { customer, opening } of tried) {
    const own = dueOpening(story, customer);
    const isOwn = JSON.stringify([...opening.wh].map(String)) === JSON.stringify(own.wh.map(String));
    report.check(
      `with all that is in the bills, ${customer.name} opens the own periods of the sold meter and no other`,
      isOwn && opening.halves.size === own.halves && own.halves > 0,
      `${count(opening.wh.size)} periods`,
    );
  }
  const world = await run.world();
  try {
    await checkLedger(report, world);
  } finally {
    await world.close();
  }
}
