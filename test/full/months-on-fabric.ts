import { monthsPlan } from "../src/months/plan.js";
import { ThreeMonths } from "../src/months/three-months.js";
import { scratchFolder } from "../src/world/scratch.js";
import { beginRun } from "../src/world/small-run.js";
import { Network } from "./network.js";
import type { Report } from "./report.js";

const BASE_PORT = 29_200;

/**
 * Three months of twelve homes in two regions on real peers, a day each, the changes before the day's epoch: new keys in
 * the second, a fifth organisation with peer and orderer in the third, the first one closed and erased.
 */
export async function monthsOnFabric(report: Report): Promise<void> {
  const network = await Network.for(report, BASE_PORT);
  if (network === undefined) return;
  const plan = monthsPlan({ homes: 12, k: [1392, 96, 96], periods: 48, changeAfter: 0 });
  const run = await beginRun(plan.csv, { ledger: "fabric" }, scratchFolder("months"), network.profile);
  try {
    if (!(await network.start(run.folder.params))) return;
    const beforeJoin = async (msp: string): Promise<void> => {
      await network.add(msp.replace(/MSP$/, "").toLowerCase());
    };
    const onProgress = (text: string): void => {
      report.progress(text);
    };
    await new ThreeMonths(run, plan, report.check.bind(report), { beforeJoin, onProgress }).live();
    await network.checkPeers(6);
  } finally {
    await network.remove();
  }
}
