import { monthName, type Period } from "@veilgrid/protocol";
import type { Command } from "commander";
import type { Elimination, MeterChange } from "../kgcbp/elimination.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples } from "./options.js";
import { line, printJson, startOf } from "./output.js";
import { periodArgument, PERIODS_ARE } from "./period-argument.js";
import { withRun, withWorld } from "./stages.js";

interface EliminateOptions extends StageOptions {
  readonly from?: string;
  readonly dryRun?: boolean;
}

/** One of the two commands. */
interface Way {
  readonly name: "eliminate" | "reinstate";
  readonly description: string;
  readonly notes: string;
  /** "is left out", "counts again". */
  readonly words: string;
}

const WAYS: readonly Way[] = [
  {
    name: "eliminate",
    description: "leave a faulty meter out of the epochs that are not sent yet",
    notes: `What was sent of a period stays: the meter is left out from the next epoch that is not sent. Its bill says which
periods that are, and counts them by the tariff's rule for missing ones.`,
    words: "is left out",
  },
  {
    name: "reinstate",
    description: "let an eliminated meter count again from the next epoch that is not sent yet",
    notes: `What was sent of a period stays: the meter counts again from the next epoch that is not sent. An elimination that
does not hold yet is taken back.`,
    words: "counts again",
  },
];

/** `veilgrid kgcbp eliminate` and `veilgrid kgcbp reinstate`. */
export function addKgcbpEliminate(parent: Command): void {
  for (const way of WAYS) {
    const { name, description, notes } = way;
    addStageOptions(parent.command(name).argument("<meter>", "the meter, as the input calls it"))
      .description(description)
      .option("--from <period>", "a later period to begin with")
      .option("--dry-run", "say from when it would hold, and change nothing")
      .addHelpText(
        "after",
        examples(
          [`veilgrid kgcbp ${name} P0001 --dry-run --out my-run`, `veilgrid kgcbp ${name} P0001 --out my-run`],
          `${notes}\n\n${PERIODS_ARE}\n\n${ON_FABRIC}`,
        ),
      )
      .action((meter: string, options: EliminateOptions) => change(meter, options, way));
  }
}

async function change(meter: string, options: EliminateOptions, way: Way): Promise<void> {
  await withRun(options, async (run) => {
    const { periodSeconds } = run.record.input;
    const from = options.from === undefined ? {} : { from: periodArgument(options.from, run) };
    const dryRun = options.dryRun === true;
    const done = await withWorld(run, ({ kgcbp }) => make(kgcbp.elimination, way, meter, { ...from, dryRun }));
    if (options.json === true) printJson(changeJson(done, dryRun, periodSeconds));
    else print(done, way, dryRun, periodSeconds);
  });
}

function make(
  elimination: Elimination,
  { name }: Way,
  meter: string,
  options: { readonly from?: Period; readonly dryRun: boolean },
): Promise<MeterChange> {
  return name === "eliminate" ? elimination.eliminate(meter, options) : elimination.reinstate(meter, options);
}

function changeJson({ meter, regions, from }: MeterChange, dryRun: boolean, periodSeconds: number): object {
  return { meter, regions, from: startOf(from, periodSeconds), month: monthName(from.month), k: from.k, dryRun };
}

function print({ meter, from }: MeterChange, { words }: Way, dryRun: boolean, periodSeconds: number): void {
  const would = dryRun ? "nothing changed; it would hold: " : "";
  line(
    `${would}${meter} ${words} from ${startOf(from, periodSeconds)} on (period ${from.k} of ${monthName(from.month)})`,
  );
}
