import { join } from "node:path";
import { veilgrid } from "../src/world/demo-process.js";
import { DAY, DAY_READINGS, honestDay } from "./day.js";
import { Demo, TERMS } from "./demo.js";
import { Network } from "./network.js";
import type { Report } from "./report.js";

const BASE_PORT = 26_200;

/** A day on real peers, compared with the same day on the embedded ledger. */
export async function fabric(report: Report): Promise<void> {
  const network = await Network.for(report, BASE_PORT);
  if (network === undefined) return;
  const { demo: usual } = await honestDay(report);
  const demo = new Demo(report, "fabric", ["--ledger", "fabric", "--profile", network.profile]);
  const begun = await veilgrid(["network", "params", ...DAY, "--out", demo.out]);
  report.check("the run begins with its parameters", begun.code === 0, begun.stderr + begun.stdout.slice(0, 76));
  try {
    if (!(await network.start(join(demo.out, "params.bin")))) return;
    await demo.finish();
    demo.checkAgainst(DAY_READINGS(), { ...TERMS, regions: 2 });
    demo.checkSameAs(usual);
    await network.checkPeers(5);
  } finally {
    await network.remove();
  }
}
