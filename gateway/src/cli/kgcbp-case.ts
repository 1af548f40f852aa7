import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { parseMeterLog, type MeterLog } from "../input/meter-log.js";
import type { CaseView, LogOf } from "../kgcbp/case-desk.js";
import { caseJson, faultText, findingText, nextStep } from "./case-text.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples, whole } from "./options.js";
import { line, printFacts, printJson, printTable, startOf, utcMinute } from "./output.js";
import { periodArgument, PERIODS_ARE } from "./period-argument.js";
import { withRun, withWorld } from "./stages.js";
import { toHex } from "@veilgrid/protocol";

interface CaseOptions extends StageOptions {
  readonly log: readonly string[];
}

const NOTES = `Compares each faulty meter's own log with the ledger, and keeps who is at fault: the meter (its register was not read,
its reading reached nobody, or was refused rightly), or aggregators (a signed refusal that is not true; a receipt of a
quorum for a reading that the block lacks). Without --log the logs are those of the run's own meters. What a log says
for its meter counts only over aggregators' signatures. A tariff's faultPenalty is charged where the meter is at fault.

${PERIODS_ARE}`;

/** `veilgrid kgcbp case`: one case, compared with the meters' own logs. */
export function addKgcbpCase(parent: Command): void {
  addStageOptions(parent.command("case").argument("<region>", "the region", whole(1, 65_535)).argument("<period>"))
    .description("compare a case's meters with their own logs, and say who is at fault")
    .option("--log <file>", "a meter's log, as JSON; may be repeated", (file, all: string[]) => [...all, file], [])
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid kgcbp case 1 2013-04-08T18:30Z --out my-run",
          "veilgrid kgcbp case 1 2013-04/373 --log meter.json --out my-run --json",
        ],
        `${NOTES}\n\n${ON_FABRIC}`,
      ),
    )
    .action((region: number, period: string, options: CaseOptions) => show(region, period, options));
}

async function show(region: number, text: string, options: CaseOptions): Promise<void> {
  const logs = await readLogs(options.log);
  await withRun(options, async (run) => {
    const period = periodArgument(text, run);
    const { periodSeconds } = run.record.input;
    const view = await withWorld(run, (world) => {
      const fleet: LogOf = (meter, at) => world.meterLog(meter, at);
      const files: LogOf = (meter, at) => logs.get(meter)?.of(at);
      return world.kgcbp.cases.compare(region, period, logs.size === 0 ? fleet : files);
    });
    if (options.json === true) printJson(caseJson(view, periodSeconds));
    else print(view, periodSeconds);
  });
}

/** The logs by meter. @throws VeilgridError `bad-meter-log`, and what reading a file throws. */
async function readLogs(files: readonly string[]): Promise<Map<string, MeterLog>> {
  const logs = new Map<string, MeterLog>();
  for (const file of files) {
    const log = parseMeterLog(await readFile(file, "utf8"));
    logs.set(log.meter, log);
  }
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
