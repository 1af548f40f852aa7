import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MeterCsv } from "../src/world/meter-csv.js";
import { Demo, TERMS } from "./demo.js";
import { seconds, type Report } from "./report.js";

/** The readings that a demo without a file made, as it kept them: whole Wh after the period's beginning. */
function madeReadings(demo: Demo): MeterCsv {
  const lines = readFileSync(join(demo.out, "readings.csv"), "utf8").trimEnd().split("\n");
  const rows = lines.map((line) => line.split(","));
  const cells = rows.map(([, ...values]) =>
    values.map((wh) => `${wh.slice(0, -3) || "0"}.${wh.slice(-3).padStart(3, "0")}`),
  );
  const households = demo.rows("bills.csv").map(({ meter }) => meter as string);
  return new MeterCsv(
    households,
    rows.map(([start]) => Date.parse(start as string)),
    cells,
  );
}

/** The demo without arguments. */
export async function newcomer(report: Report): Promise<void> {
  const demo = new Demo(report, "newcomer", []);
  const { seconds: took, stdout } = await demo.finish();
  report.check("it takes less than 60 s", took < 60, seconds(took));
  const csv = madeReadings(demo);
  const shape = `${csv.households.length} meters, ${csv.starts.length} periods`;
  report.check("40 meters over a day", shape === "40 meters, 48 periods", shape);
  demo.checkAgainst(csv, { ...TERMS, regions: 2 });
  const says = ["Regions", "Bills", "verified", "bills.csv", "periods.csv"].filter((word) => stdout.includes(word));
  report.check(
    "it shows regions, bills, what was verified and where the files are",
    says.length === 5,
    says.join(", "),
  );
}
