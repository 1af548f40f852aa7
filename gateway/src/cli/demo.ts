import { formatAmount, monthName, schnorr } from "@veilgrid/protocol";
import type { Command } from "commander";
import { DataFolder } from "../world/folder.js";
import { conclude, keptOutcome, type Outcome } from "../world/outcome.js";
import { Run } from "../world/run.js";
import type { Stop, World } from "../world/world.js";
import { auditLedger } from "./audit.js";
import { EXIT } from "./failure.js";
import { kilowattHours, line, printJson, printTable, Progress, unitPrice } from "./output.js";
import { addRunOptions, askedRun, type RunOptions } from "./runOptions.js";
import { follow } from "./stages.js";

interface DemoOptions extends RunOptions {
  readonly force?: boolean;
  readonly json?: boolean;
  readonly audit: boolean;
  readonly memory: boolean;
}

const SHOWN_BILLS = 60;

const EXAMPLES = `
Examples:
  veilgrid demo
  veilgrid demo --readings data/sgsc/sgsc50_2013-04-08_30d_wide.csv --days 1 --out my-run
  veilgrid demo --days 1 --fault down:1@10 --seed 7 --out with-a-fault

The same command again resumes what was interrupted, and prints the result of what is finished.
Exit codes: 0 done; 1 a bill does not verify; 2 refused, nothing changed; 75 waiting for a quorum, call again.`;

/** `veilgrid demo`: a billing period from meters to verified bills. */
export function addDemo(program: Command): void {
  addRunOptions(program.command("demo"))
    .description("run billing months, from meter readings to verified bills, with all roles in one process")
    .option("--force", "start anew if the folder holds another run")
    .option("--no-audit", "do not re-verify the whole ledger at the end")
    .option("--no-memory", "verify every signature each time, as separate processes would")
    .option("--json", "print the result as JSON")
    .addHelpText("after", EXAMPLES)
    .action((options: DemoOptions) => demo(options));
}

async function demo(options: DemoOptions): Promise<void> {
  const folder = new DataFolder(options.out);
  const progress = new Progress(options.json === true);
  const { record, readings } = await askedRun(options);
  if (options.force === true) await folder.clear();
  const run = await Run.begin(folder, record, readings);
  const outcome = (await keptOutcome(run)) ?? (await finish(run, options, progress));
  if (outcome === undefined) return;
  if (options.json === true) printJson(outcome);
  else printOutcome(run, outcome);
  if (outcome.bills.some(({ verified }) => !verified)) process.exitCode = EXIT.failed;
}

async function finish(run: Run, options: DemoOptions, progress: Progress): Promise<Outcome | undefined> {
  const { das } = run.record.arguments;
  const { households, periods } = run.record.input;
  progress.say(`${households.length} meters, ${periods} periods, ${das} aggregators; Schnorr engine: ${schnorr.name}`);
  const world = await run.world({ remember: options.memory });
  try {
    const stop = await follow(world, run, progress, () => allBilled(world));
    if (stop.reason === "quorum-lost") {
      explainWait(stop);
      return undefined;
    }
    const outcome = await conclude(run, world, (done, all) => {
      progress.show("bills verified", done, all);
    });
    if (options.audit && !(await auditLedger(world.ledger, progress))) process.exitCode = EXIT.failed;
    return outcome;
  } finally {
    await world.close();
  }
}

async function allBilled(world: World): Promise<boolean> {
  for (const month of world.months()) if (!(await world.billed(month))) return false;
  return true;
}

/** Says why the run stands still; nothing is lost, and the same command goes on. */
export function explainWait({ up, needed, time }: Extract<Stop, { reason: "quorum-lost" }>): void {
  const at = new Date(time).toISOString().slice(0, 16);
  process.stderr.write(
    `waiting quorum-lost: ${up} aggregators run and ${needed} are needed (virtual time ${at}Z). ` +
      `What the meters sent is kept; the same command starts the aggregators again and goes on.\n`,
  );
  process.exitCode = EXIT.waiting;
}

function printOutcome(run: Run, outcome: Outcome): void {
  const { regions, bills, currency, minorDigits, ledger } = outcome;
  const unit = currency ?? "units";
  line();
  line(`Regions: what the control center saw, and the price of a kWh (${unit})`);
  printTable(
    ["region", "meters", "periods", "sums released", "consumption", "lowest", "highest"],
    regions.map((one) => [
      String(one.region),
      String(one.meters),
      String(one.periods),
      String(one.measured),
      kilowattHours(one.consumptionWh),
      unitPrice(one.lowestPrice),
      unitPrice(one.highestPrice),
    ]),
    [0, 1, 2, 3, 4, 5, 6],
  );
  line();
  line(`Bills: each readable by its customer alone, recomputed from the ledger (${unit})`);
  printTable(
    ["meter", "month", "energy", "total", "missing periods", "verified"],
    bills
      .slice(0, SHOWN_BILLS)
      .map((bill) => [
        bill.meter,
        bill.month,
        kilowattHours(bill.energyWh),
        formatAmount(BigInt(bill.total), minorDigits),
        String(bill.missing),
        bill.verified ? "yes" : `NO: ${bill.difference ?? ""}`,
      ]),
    [2, 3, 4],
  );
  if (bills.length > SHOWN_BILLS) line(`... and ${bills.length - SHOWN_BILLS} more in ${run.folder.bills}`);
  const good = bills.filter(({ verified }) => verified).length;
  line();
  line(
    `${good} of ${bills.length} bills verified from the ledger (${ledger.blocks} blocks, hash ${ledger.tip.slice(0, 16)}).`,
  );
  line(`Files: ${run.folder.periods}, ${run.folder.bills}`);
  line(
    `Next:  veilgrid bill show ${bills[0]?.meter ?? "METER"} --month ${bills[0]?.month ?? monthName(24314)} --out ${run.folder.path}`,
  );
}
