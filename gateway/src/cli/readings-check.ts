import type { Command } from "commander";
import { checkReadings, type Extreme, type ReadingsSummary } from "../input/check.js";
import { EXIT } from "./failure.js";
import { examples, jsonOption, whole } from "./options.js";
import { counted, kilowattHours, line, printFacts, printJson } from "./output.js";

interface CheckOptions {
  readonly timezone: string;
  readonly start?: string;
  readonly shown: number;
  readonly json?: boolean;
}

const NOTES = `Every bad row is named with file, line and reason, and then the exit code is 1. Nothing is written.`;

/** `veilgrid readings check`: what a file of readings holds, before it is used. */
export function addReadingsCheck(parent: Command): void {
  parent
    .command("check")
    .description("read a CSV file of meter readings to its end, and say what it holds and what is wrong with it")
    .argument("<file>", "CSV in the wide, undated or Low Carbon London form, .gz too")
    .option("--timezone <zone>", "IANA time zone of the file's times", "UTC")
    .option("--start <date>", "when the first row begins, for a file without dates")
    .option("--shown <n>", "show no more than so many problems and gaps", whole(1), 20)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid readings check data/sgsc/sgsc50_2013-04-08_30d_wide.csv",
          "veilgrid readings check data/swiss537/swiss537_30min_30d_wide.csv.gz --json",
        ],
        NOTES,
      ),
    )
    .action((file: string, options: CheckOptions) => check(file, options));
}

async function check(file: string, { timezone, start, shown, json = false }: CheckOptions): Promise<void> {
  const summary = await checkReadings(file, { timezone, start }, shown);
  if (json)
    printJson({ ...summary, problems: summary.problems.map(({ code, message, facts }) => ({ code, message, facts })) });
  else print(summary);
  if (summary.problemCount > 0) process.exitCode = EXIT.failed;
}

function print(summary: ReadingsSummary): void {
  const { households, periods, periodSeconds, counted: passed } = summary;
  printFacts([
    ["file", `${summary.file}, ${summary.format} form, SHA-256 ${summary.sha256}`],
    [
      "households",
      `${households.length}, ${households[0]?.household ?? "none"} to ${households.at(-1)?.household ?? "none"}`,
    ],
    ["periods", `${periods} of ${periodSeconds} s${spanOf(summary)}`],
    ["readings", `${summary.readings}, ${kilowattHours(BigInt(summary.totalWh))} in all`],
    ["missing", `${summary.missing} (${counted(summary.gapCount, "gap")} of all households)`],
    ["smallest", extreme(summary.smallest)],
    ["largest", extreme(summary.largest)],
    ["negative", String(summary.negatives)],
    ["passed over", `${counted(passed.identicalRepeats, "identical repeat")}, ${passed.offGridNulls} off-grid Null`],
  ]);
  for (const { n, periodStart, periods: count } of summary.gaps) {
    line(`gap: ${counted(count, "period")} from ${periodStart ?? `period ${n}`}`);
  }
  for (const { code, message } of summary.problems) line(`${code}: ${message}`);
  const more = summary.problemCount - summary.problems.length;
  if (more > 0) line(`... and ${counted(more, "more problem")}`);
  line(summary.problemCount === 0 ? "nothing is wrong" : counted(summary.problemCount, "problem"));
}

function spanOf({ first, last }: ReadingsSummary): string {
  return first === undefined || last === undefined
    ? ", without dates"
    : `, the first from ${first}, the last from ${last}`;
}

function extreme(one: Extreme | undefined): string {
  if (one === undefined) return "none";
  return `${one.wh} Wh, ${one.household} at ${one.periodStart ?? `period ${one.n}`}`;
}
