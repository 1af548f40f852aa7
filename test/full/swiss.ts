import { MeterCsv, SWISS } from "../src/world/meter-csv.js";
import { Demo, TERMS } from "./demo.js";
import { count, seconds, type Report } from "./report.js";

/** The file has week 44 and Monday for its first row, but no year: 2018 is one that fits. */
const START = "2018-10-29";
/** Its last day. */
const LAST = "2018-11-27";
const ASKED = ["--readings", SWISS, "--start", START, "--from", LAST, "--seed", "swiss"];

/** 537 homes on the file's last day: negative readings, and a half-hour of 158 kWh. */
export async function swiss(report: Report): Promise<void> {
  const csv = MeterCsv.swiss(Date.parse(START)).since(Date.parse(LAST));
  const all = csv.wattHours().flat() as bigint[];
  const inOrder = [...all].sort((a, b) => Number(a - b));
  report.note("readings", `${count(all.length)}, from ${String(inOrder[0])} to ${String(inOrder.at(-1))} Wh`);
  const demo = new Demo(report, "swiss", ASKED);
  const { seconds: took } = await demo.finish();
  demo.checkAgainst(csv, TERMS);

  const bound = 50_000n;
  const above = all.filter((wh) => wh > bound || -wh > bound).length;
  report.note("with", "--max-wh 50000");
  const bounded = new Demo(report, "swiss-bounded", [...ASKED, "--max-wh", bound.toString()]);
  await bounded.finish();
  bounded.checkAgainst(csv, { ...TERMS, maxWh: Number(bound) });
  const missing = bounded.rows("bills.csv").reduce((sum, bill) => sum + Number(bill.missing), 0);
  report.check(
    "the readings above it, and no others, are missing",
    missing === above && above > 0,
    `${missing} of ${above}`,
  );
  report.note("a day of 537 homes", seconds(took));
}
