import { periodRange, periodStart, VeilgridError } from "@veilgrid/protocol";
import { writeLines } from "../bill/results.js";
import { FilledTable, type ReadingsTable, type TableFacts } from "../input/table.js";
import { readWhole } from "../store/files.js";
import type { DataFolder } from "./folder.js";
import type { RunInput } from "./plan.js";

async function* linesOf(table: ReadingsTable): AsyncGenerator<string> {
  const { households, firstPeriod, periods, periodSeconds } = table;
  let n = 0;
  for (const period of periodRange(firstPeriod, periods, periodSeconds)) {
    const row = households.map((_, i) => table.consumption(i, n) ?? "");
    yield `${new Date(periodStart(period, periodSeconds)).toISOString().slice(0, 16)}Z,${row.join(",")}\n`;
    n += 1;
    await Promise.resolve();
  }
}

/** Keeps the run's readings as whole Wh, so that a resumed run needs its input no more. */
export async function keepReadings(folder: DataFolder, table: ReadingsTable): Promise<void> {
  await writeLines(folder.readings, linesOf(table));
}

/** The readings as they were kept. @throws VeilgridError `damaged-folder`. */
export async function keptReadings(folder: DataFolder, input: RunInput): Promise<ReadingsTable> {
  const facts: TableFacts = {
    format: "profile",
    households: input.households,
    firstPeriod: input.first,
    periods: input.periods,
    periodSeconds: input.periodSeconds,
    sha256: input.sha256,
    counted: { identicalRepeats: 0, offGridNulls: 0, blanks: 0 },
  };
  const table = new FilledTable(facts);
  const lines = (await readWhole(folder.readings))?.trimEnd().split("\n") ?? [];
  if (lines.length !== input.periods) throw damaged();
  for (const [n, line] of lines.entries()) {
    const [, ...cells] = line.split(",");
    if (cells.length !== input.households.length) throw damaged();
    cells.forEach((text, household) => {
      if (text !== "") table.set(household, n, wattHours(text));
    });
  }
  return table;
}

function wattHours(text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) throw damaged();
  return Number(text);
}

function damaged(): VeilgridError {
  return new VeilgridError("damaged-folder", "readings.csv is not what the run wrote", { blame: "operator" });
}
