import { formatAmount, schnorr } from "@veilgrid/protocol";
import type { Outcome } from "../world/outcome.js";
import type { Run } from "../world/run.js";
import type { World } from "../world/world.js";
import { auditLedger } from "./audit.js";
import { EXIT } from "./failure.js";
import { counted, kilowattHours, line, printJson, printTable, unitPrice, type Progress } from "./output.js";
import { reach, withWorld } from "./stages.js";

/** How a run is brought to its end. */
export interface EndOptions {
  /** Whether the roles share a memory of verified signatures. */
  readonly memory: boolean;
  /** Whether the whole ledger is re-verified in the end. */
  readonly audit: boolean;
}

const SHOWN_BILLS = 60;

/** Runs on until every customer's bills are issued and verified; a finished run's outcome is its folder's. */
export async function concluded(run: Run, progress: Progress, options: EndOptions): Promise<Outcome> {
  // Loaded when it is needed: it brings the block store with it.
  const { conclude, keptOutcome } = await import("../world/outcome.js");
  const kept = await keptOutcome(run);
  if (kept !== undefined) return kept;
  const { households, periods } = run.record.input;
  const parts = [
    counted(households.length, "meter"),
    counted(periods, "period"),
    counted(run.record.arguments.das, "aggregator"),
  ];
  progress.say(`${parts.join(", ")}; Schnorr engine: ${schnorr.name}`);
  const work = async (world: World): Promise<Outcome> => {
    await reach(world, run, progress, () => allBilled(world));
    const outcome = await conclude(run, world, (done, all) => {
      progress.show("bills verified", done, all);
    });
    if (options.audit && !(await auditLedger(world.ledger, progress))) process.exitCode = EXIT.failed;
    return outcome;
  };
  return withWorld(run, work, options.memory);
}

async function allBilled(world: World): Promise<boolean> {
  for (const month of world.months()) if (!(await world.billed(month))) return false;
  return true;
}

/** Prints what a run came to; the exit code says whether every bill verifies. */
export function showOutcome(run: Run, outcome: Outcome, json: boolean): void {
  if (json) printJson(outcome);
  else printOutcome(run, outcome);
  if (outcome.bills.some(({ verified }) => !verified)) process.exitCode = EXIT.failed;
}

function printOutcome(run: Run, outcome: Outcome): void {
  const { bills, ledger } = outcome;
  printRegions(outcome);
  printBills(run, outcome);
  const good = bills.filter(({ verified }) => verified).length;
  line();
  line(
    `${good} of ${counted(bills.length, "bill")} verified from the ledger ` +
      `(${ledger.blocks} blocks, hash ${ledger.tip.slice(0, 16)}).`,
  );
  line(`Files: ${run.folder.periods}, ${run.folder.bills}`);
  const [first] = bills;
  if (first === undefined) return;
  line(`Next:  veilgrid bill show ${first.meter} --month ${first.month} --out ${run.folder.path}`);
}

function printRegions({ regions, currency }: Outcome): void {
  line();
  line(`Regions: what the control center saw, and the price of a kWh (${currency ?? "units"})`);
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
}

function printBills(run: Run, { bills, currency, minorDigits }: Outcome): void {
  line();
  line(`Bills: each readable by its customer alone, recomputed from the ledger (${currency ?? "units"})`);
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
}
