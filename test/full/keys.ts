import { monthsPlan } from "../src/months/plan.js";
import { ThreeMonths } from "../src/months/three-months.js";
import { beginRun } from "../src/world/small-run.js";
import type { Report } from "./report.js";

/** Three months of twelve homes in two regions, three days each; the changes come after the first day of a month's three. */
export async function keys(report: Report): Promise<void> {
  const plan = monthsPlan({ homes: 12, k: [1296, 0, 0], periods: 144, changeAfter: 48 });
  const run = await beginRun(plan.csv);
  const check = report.check.bind(report);
  const onProgress = (text: string): void => {
    report.progress(text);
  };
  await new ThreeMonths(run, plan, check, { onProgress }).live();
}
