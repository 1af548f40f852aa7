import { SeededRandom } from "@veilgrid/gateway";
import type { Moment } from "../src/world/demo-process.js";
import { DAY, honestDay } from "./day.js";
import { Demo } from "./demo.js";
import type { Report } from "./report.js";

const STARTED = /Schnorr engine/;
const LAST_PERIOD = /96\/96|bills/;
const BILLS = /bills/;

/** Ten moments: anywhere in the run, while bills are issued, and while they are verified. */
function moments(runSeconds: number): Moment[] {
  const random = SeededRandom.of("ten deaths");
  // Each life goes on where the one before ended, so that all together reach about two thirds of the run.
  const spanMs = Math.round((runSeconds * 1000 * 2) / 8);
  const anywhere = Array.from({ length: 6 }, (_, i) => ({
    said: STARTED,
    afterMs: random.below(spanMs, "anywhere", i),
  }));
  const issuing = Array.from({ length: 2 }, (_, i) => ({
    said: LAST_PERIOD,
    afterMs: random.below(400, "issuing", i),
  }));
  const verifying = Array.from({ length: 2 }, (_, i) => ({ said: BILLS, afterMs: random.below(200, "verifying", i) }));
  return [...anywhere, ...issuing, ...verifying];
}

/** A day whose process is killed ten times. */
export async function killed(report: Report): Promise<void> {
  const { demo: usual, ended } = await honestDay(report);
  const demo = new Demo(report, "killed", DAY);
  let deaths = 0;
  for (const death of moments(ended.seconds)) {
    const { signal } = await demo.run({ death });
    report.progress(signal === null ? "came to its end" : `killed ${death.afterMs} ms after ${death.said.source}`);
    if (signal === "SIGKILL") deaths += 1;
  }
  report.check("the process was killed (-9) ten times", deaths === 10, `${deaths} times`);
  const last = await demo.run();
  report.check("the same command again comes to the end", last.code === 0, `exit code ${last.code}`);
  demo.checkSameAs(usual);
}
