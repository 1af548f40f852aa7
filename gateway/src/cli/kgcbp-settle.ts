import { readFile } from "node:fs/promises";
import { VeilgridError, monthName, type Period } from "@veilgrid/protocol";
import type { Command } from "commander";
import { parseMeterLog, type LoggedPeriod, type ReadMeterLog } from "../input/meter-log.js";
import { REASON, type LoggedValue, type SettleStatus, type SettledValue } from "../kgcbp/settle-desk.js";
import { addDeskOptions, ON_A_SERVICE, withDesk, type Desk, type DeskOptions } from "./kgcbp-desk.js";
import { ON_FABRIC, unfit } from "./ledger-options.js";
import { examples } from "./options.js";
import { counted, line, printJson, printTable, startOf } from "./output.js";

interface SettleOptions extends DeskOptions {
  readonly log?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

const NOTES = `A bill's missing and estimated periods are settled by what the meter's own log says of them, as a delta on the
customer's next bill: the month recomputed minus the month billed. Where the supply is over, its last bill is revised.
Without --log the log is that of the run's own meter; a service needs one. Prices stay what they are, and what the
ledger measured stays: a log that says something else of it is refused, and so is one that says something else than an
earlier log; then nothing changed.`;

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
  addDeskOptions(parent.command("settle").argument("<meter>", "the meter, as the input calls it"))
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
          "veilgrid kgcbp settle P0001 --log meter.json --config kgcbp.yaml",
        ],
        `${NOTES}\n\n${ON_A_SERVICE}\n\n${ON_FABRIC}`,
      ),
    )
    .action((meter: string, options: SettleOptions) => settle(meter, options));
}

async function settle(meter: string, options: SettleOptions): Promise<void> {
  const { json = false, dryRun = false, reason = REASON } = options;
  const file = options.log === undefined ? undefined : await readLog(options.log, meter);
  await withDesk(options, async (desk) => {
    const values = await desk.kgcbp.settle({ meter, values: await valuesOf(meter, desk, file), reason, dryRun });
    if (json) printJson({ meter, dryRun, periods: values.map((value) => valueJson(value, desk)) });
    else print(meter, values, desk, dryRun);
  });
}

/** @throws VeilgridError `bad-meter-log`; `other-meter` for the log of another meter. */
async function readLog(path: string, meter: string): Promise<ReadMeterLog> {
  const log = parseMeterLog(await readFile(path, "utf8"));
  if (log.meter === meter) return log;
  throw new VeilgridError("other-meter", `the log is that of meter ${log.meter}`, {
    facts: { meter, log: log.meter },
    blame: "caller",
  });
}

/** What the log has of the run's periods, or of all that it names. @throws VeilgridError `bad-option`. */
async function valuesOf(meter: string, { run }: Desk, file: ReadMeterLog | undefined): Promise<LoggedValue[]> {
  const values: LoggedValue[] = [];
  for (const period of run?.periods ?? file?.periods ?? []) {
    const wh = (await loggedOf(meter, period, run, file))?.consumption;
    if (wh !== undefined) values.push({ period, wh });
  }
  if (run === undefined && file === undefined) throw unfit("--log FILE is due: a service has no meters' logs");
  return values;
}

function loggedOf(
  meter: string,
  period: Period,
  run: Desk["run"],
  file: ReadMeterLog | undefined,
): Promise<LoggedPeriod | undefined> {
  if (file !== undefined || run === undefined) return Promise.resolve(file?.of(period));
  return run.logOf(meter, period);
}

function valueJson({ period, wh, status }: SettledValue, { calendar: { periodSeconds } }: Desk): object {
  const { month, k } = period;
  return { periodStart: startOf(period, periodSeconds), month: monthName(month), k, wh: wh.toString(), status };
}

function print(meter: string, values: readonly SettledValue[], { run, calendar }: Desk, dryRun: boolean): void {
  const { periodSeconds } = calendar;
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
  if (settled === 0 || dryRun) return;
  line(run === undefined ? "the customer's next bill has the delta" : `Next:  veilgrid bill issue --out ${run.folder}`);
}
