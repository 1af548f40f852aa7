import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { meterLogJson, parseMeterLog, type MeterLog } from "../input/meter-log.js";
import type { CaseView } from "../kgcbp/case-desk.js";
import { caseJson, faultText, findingText, nextStep } from "./case-text.js";
import { addDeskOptions, ON_A_SERVICE, withDesk, type DeskOptions } from "./kgcbp-desk.js";
import { ON_FABRIC } from "./ledger-options.js";
import { examples, whole } from "./options.js";
import { line, printFacts, printJson, printTable, startOf, utcMinute } from "./output.js";
import { periodArgument, PERIODS_ARE } from "./period-argument.js";
import { toHex } from "@veilgrid/protocol";

interface CaseOptions extends DeskOptions {
  readonly log: readonly string[];
}

const NOTES = `Compares each faulty meter's own log with the ledger, and keeps who is at fault: the meter (its register was not read,
its reading reached nobody, or was refused rightly), or aggregators (a signed refusal that is not true; a receipt of a
quorum for a reading that the block lacks). Without --log the logs are those of the run's own meters; a service has
none, and shows the case as it is. What a log says for its meter counts only over aggregators' signatures. A tariff's
faultPenalty is charged where the meter is at fault.

${PERIODS_ARE}`;

/** `veilgrid kgcbp case`: one case, compared with the meters' own logs. */
export function addKgcbpCase(parent: Command): void {
  addDeskOptions(parent.command("case").argument("<region>", "the region", whole(1, 65_535)).argument("<period>"))
    .description("compare a case's meters with their own logs, and say who is at fault")
    .option("--log <file>", "a meter's log, as JSON; may be repeated", (file, all: string[]) => [...all, file], [])
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid kgcbp case 1 2013-04-08T18:30Z --out my-run",
          "veilgrid kgcbp case 1 2013-04/373 --log meter.json --out my-run --json",
          "veilgrid kgcbp case 1 2013-04/373 --log meter.json --config kgcbp.yaml",
        ],
        `${NOTES}\n\n${ON_A_SERVICE}\n\n${ON_FABRIC}`,
      ),
    )
    .action((region: number, period: string, options: CaseOptions) => show(region, period, options));
}

async function show(region: number, text: string, options: CaseOptions): Promise<void> {
  const logs = await readLogs(options.log);
  await withDesk(options, async ({ kgcbp, calendar }) => {
    const { periodSeconds } = calendar;
    const period = periodArgument(text, calendar);
    // What the logs say of other periods is nothing to this case.
    const view = await kgcbp.compare({ region, period, logs: logs.map((log) => meterLogJson(log, [period])) });
    if (options.json === true) printJson(caseJson(view, periodSeconds));
    else print(view, periodSeconds);
  });
}

/** @throws VeilgridError `bad-meter-log`, and what reading a file throws. */
async function readLogs(files: readonly string[]): Promise<MeterLog[]> {
  const logs: MeterLog[] = [];
  for (const file of files) logs.push(parseMeterLog(await readFile(file, "utf8")));
  return logs;
}

function print(view: CaseView, periodSeconds: number): void {
  const { region, period, status, reportedAt, dueAt, ref, meters } = view;
  printFacts([
    ["region", String(region)],
    ["period", startOf(period, periodSeconds)],
    ["status", status],
    ["reported", utcMinute(reportedAt)],
    ...(ref === undefined
      ? []
      : ([
          ["verdict due", utcMinute(dueAt)],
          ["verdict's ref", toHex(ref)],
        ] as const)),
  ]);
  line();
  printTable(
    ["meter", "fault", "whose, by its log"],
    meters.map(({ meter, fault, finding }) => [meter, faultText(fault), findingText(finding)]),
    [],
  );
  line(`Next:  ${nextStep(view, periodSeconds)}`);
}
