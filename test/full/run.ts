import { parseArgs } from "node:util";
import { changes } from "./changes.js";
import { day, memory } from "./day.js";
import { fabric } from "./fabric.js";
import { faults, modes } from "./faults.js";
import { fleet } from "./fleet.js";
import { hostile } from "./hostile.js";
import { joined } from "./joined.js";
import { keys } from "./keys.js";
import { killed } from "./killed.js";
import { month } from "./month.js";
import { monthsOnFabric } from "./months-on-fabric.js";
import { newcomer } from "./newcomer.js";
import { refusals } from "./refusals.js";
import { Report, count } from "./report.js";
import { services } from "./services.js";
import { simulation } from "./simulation.js";
import { swiss } from "./swiss.js";
import { processes, processesOnFabric } from "./up.js";

/** Its name, what it looks at, and the looking. */
type Group = readonly [name: string, what: string, show: (report: Report) => Promise<void>];

/** What must be shown at full size, in the order in which it runs: the longest last. */
const GROUPS: readonly Group[] = [
  ["newcomer", "the demo without arguments", newcomer],
  ["refusals", "bad input", refusals],
  ["day", "a day of 50 real homes", day],
  ["memory", "the same day without memory, and under each engine", memory],
  ["modes", "the same day in every mode", modes],
  ["faults", "the same day with faults", faults],
  ["killed", "the same day, killed ten times", killed],
  ["keys", "three months: new keys, one more aggregator, the first one closed and erased", keys],
  ["fabric", "the same day on real Fabric", fabric],
  ["services", "real processes, each killed at random moments", services],
  ["joined", "one more aggregator joins running services", joined],
  ["hostile", "hostile bytes, slow, idle and flooding callers against real processes", hostile],
  ["fleet", "2,000 meters, a share of them faulty, against a consortium of processes", fleet],
  ["processes", "a day of 1,000 meters as processes, then with kills and a partition", processes],
  ["processes-on-fabric", "the same on real Fabric", processesOnFabric],
  ["simulation", "2,000 seeds of the simulation", simulation],
  ["fabric-months", "the three months on real Fabric, a day each", monthsOnFabric],
  ["swiss", "537 homes on their file's last day", swiss],
  ["month", "30 days of 50 homes", month],
  ["changes", "two months of 50 homes in which meters fail and change", changes],
];

const USAGE = `npm run test:full [-- --only GROUP[,GROUP...]]

Shows at full size what the project promises; writes nothing outside a temporary folder. Exit code 1 if anything does
not hold. UP_METERS, UP_REGIONS, UP_PERIODS and UP_FACTOR size the groups of processes, UP_LIVES (quiet,stormy)
chooses among them. Groups: ${GROUPS.map(([name]) => name).join(", ")}.
`;

/** The groups that are asked for. @throws Error for one that is not there. */
function chosen(only: string | undefined): readonly Group[] {
  if (only === undefined) return GROUPS;
  const names = only.split(",");
  const unknown = names.find((name) => !GROUPS.some(([group]) => group === name));
  if (unknown !== undefined) throw new Error(`there is no group ${unknown}\n\n${USAGE}`);
  return GROUPS.filter(([group]) => names.includes(group));
}

async function runAll(only: string | undefined): Promise<void> {
  const report = new Report();
  for (const [name, what, show] of chosen(only)) {
    report.begin(name, what);
    await show(report);
  }
  const { checks, failures, leftOut } = report;
  const notRun = leftOut.length === 0 ? "" : `; not run: ${leftOut.join(", ")}`;
  process.stdout.write(`\n${count(checks - failures.length)} of ${count(checks)} checks hold${notRun}\n`);
  for (const failure of failures) process.stdout.write(`  ${failure}\n`);
  if (failures.length > 0) process.exitCode = 1;
}

// An exit, unlike a signal's death, takes the temporary folder with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const { values } = parseArgs({ options: { only: { type: "string" }, help: { type: "boolean" } } });
if (values.help === true) process.stdout.write(USAGE);
else await runAll(values.only);
