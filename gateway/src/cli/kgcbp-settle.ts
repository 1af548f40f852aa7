import { readFile, rm } from "node:fs/promises";
import { VeilgridError, addPeriods, monthName, type Period } from "@veilgrid/protocol";
import type { Command } from "commander";
import { parseMeterLog, type LoggedPeriod, type MeterLog } from "../input/meter-log.js";
import { REASON, type LoggedValue, type SettleStatus, type SettledValue } from "../kgcbp/settle-desk.js";
import type { Run } from "../world/run.js";
import type { World } from "../world/world.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples } from "./options.js";
import { counted, line, printJson, printTable, Progress, startOf } from "./output.js";
import { reach, withRun, withWorld } from "./stages.js";

interface SettleOptions extends StageOptions {
  readonly log?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

const NOTES = `A bill's missing and estimated periods are settled by what the meter's own log says of them, as a delta on the
customer's next bill: the month recomputed minus the month billed. Where the supply is over, its last bill is revised.
Without --log the log is that of the run's own meter. Prices stay what they are, and what the ledger measured stays: a
log that says something else of it is refused, and so is one that says something else than an earlier log; then nothing
changed.`;

/** What the operator is told of the values that change nothing, and of those that do. */
const WORDS: Readonly<Record<SettleStatus, string>> = {
  settled: "settled",
  known: "was settled before",
  measured: "was measured",
  pending: "has no readings block yet",
  implausible: "is more than a home consumes: not settled",
  unbilled: "is on no bill",
  erased: "is erased",
};

const SHOWN: readonly SettleStatus[] = ["settled", "known", "implausible"];

/** `veilgrid kgcbp settle`: a meter's log, read later. */
export function addKgcbpSettle(parent: Command): void {
  addStageOptions(parent.command("settle").argument("<meter>", "the meter, as the input calls it"))
    .description("settle a meter's missing periods from its own log, on the customer's next bill")
    .option("--log <file>", "the meter's log, as JSON (default: that of the run's own meter)")
    .option("--reason <text>", "what the bill gives as its reason", REASON)
    .option("--dry-run", "say what would be settled, and change nothing")
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid kgcbp settle P0001 --dry-run --out my-run",
          "veilgrid kgcbp settle P0001 --log meter.json --out my-run",
        ],
        `${NOTES}\n\n${ON_FABRIC}`,
      ),
    )
    .action((meter: string, options: SettleOptions) => settle(meter, options));
}

async function settle(meter: string, options: SettleOptions): Promise<void> {
  const { json = false, dryRun = false } = options;
  const file = options.log === undefined ? undefined : await readLog(options.log, meter);
  await withRun(options, async (run) => {
    const values = await withWorld(run, async (world) => {
      const log = (period: Period): Promise<LoggedPeriod | undefined> =>
        file === undefined ? world.meterLog(meter, period) : Promise.resolve(file.of(period));
      const { reason = REASON } = options;
      const { settling } = world.kgcbp;
      const settled = await settling.settle(meter, await valuesOf(run, log), { reason, dryRun });
      if (!dryRun) await revised(world, run, new Progress(json));
      return settled;
    });
    if (json) printJson({ meter, dryRun, periods: values.map((value) => valueJson(value, run)) });
    else print(meter, values, run, dryRun);
  });
}

/** @throws VeilgridError `bad-meter-log`; `other-meter` for the log of another meter. */
async function readLog(path: string, meter: string): Promise<MeterLog> {
  const log = parseMeterLog(await readFile(path, "utf8"));
  if (log.meter === meter) return log;
  throw new VeilgridError("other-meter", `the log is that of meter ${log.meter}`, {
    facts: { meter, log: log.meter },
    blame: "caller",
  });
}

async function valuesOf(
  { record }: Run,
  log: (period: Period) => Promise<LoggedPeriod | undefined>,
): Promise<LoggedValue[]> {
  const { first, periods, periodSeconds } = record.input;
  const values: LoggedValue[] = [];
  for (let n = 0; n < periods; n += 1) {
    const period = addPeriods(first, n, periodSeconds);
    const wh = (await log(period))?.consumption;
    if (wh !== undefined) values.push({ period, wh });
  }
  return values;
}

/** A revision of a last bill goes to the ledger at once; what the run came to is concluded anew then. */
async function revised(world: World, run: Run, progress: Progress): Promise<void> {
  const { settling } = world.kgcbp;
  if (await settling.isDone()) return;
  await rm(run.folder.outcome, { force: true });
  await reach(world, run, progress, () => settling.isDone());
}

function valueJson({ period, wh, status }: SettledValue, { record }: Run): object {
  const { periodSeconds } = record.input;
  const { month, k } = period;
  return { periodStart: startOf(period, periodSeconds), month: monthName(month), k, wh: wh.toString(), status };
}

function print(meter: string, values: readonly SettledValue[], { record, folder }: Run, dryRun: boolean): void {
  const { periodSeconds } = record.input;
  const shown = values.filter(({ status }) => SHOWN.includes(status));
  if (shown.length > 0) {
    printTable(
      ["period", "Wh by the log", "which"],
      shown.map(({ period, wh, status }) => [startOf(period, periodSeconds), wh.toString(), WORDS[status]]),
      [1],
    );
  }
  const settled = values.filter(({ status }) => status === "settled").length;
  const others = values.filter(({ status }) => !SHOWN.includes(status));
  for (const status of new Set(others.map((one) => one.status))) {
    line(`${counted(others.filter((one) => one.status === status).length, "value")} of a period that ${WORDS[status]}`);
  }
  const would = dryRun ? "nothing changed; it would be: " : "";
  line(`${would}${counted(settled, "period")} of ${meter} settled`);
  if (settled > 0 && !dryRun) line(`Next:  veilgrid bill issue --out ${folder.path}`);
}
