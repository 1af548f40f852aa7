import { monthName } from "@veilgrid/protocol";
import type { Command } from "commander";
import type { MeterChange } from "../kgcbp/elimination.js";
import { addDeskOptions, ON_A_SERVICE, withDesk, type DeskOptions } from "./kgcbp-desk.js";
import { ON_FABRIC } from "./ledger-options.js";
import { examples } from "./options.js";
import { line, printJson, startOf } from "./output.js";
import { periodArgument, PERIODS_ARE } from "./period-argument.js";

interface EliminateOptions extends DeskOptions {
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
    addDeskOptions(parent.command(name).argument("<meter>", "the meter, as the input calls it"))
      .description(description)
      .option("--from <period>", "a later period to begin with")
      .option("--dry-run", "say from when it would hold, and change nothing")
      .addHelpText(
        "after",
        examples(
          [`veilgrid kgcbp ${name} P0001 --dry-run --out my-run`, `veilgrid kgcbp ${name} P0001 --config kgcbp.yaml`],
          `${notes}\n\n${PERIODS_ARE}\n\n${ON_A_SERVICE}\n\n${ON_FABRIC}`,
        ),
      )
      .action((meter: string, options: EliminateOptions) => change(meter, options, way));
  }
}

async function change(meter: string, options: EliminateOptions, way: Way): Promise<void> {
  const { from, dryRun = false, json = false } = options;
  await withDesk(options, async ({ kgcbp, calendar }) => {
    const { periodSeconds } = calendar;
    const asked = from === undefined ? undefined : periodArgument(from, calendar);
    const done = await kgcbp.count({ meter, counts: way.name === "reinstate", from: asked, dryRun });
    if (json) printJson(changeJson(done, dryRun, periodSeconds));
    else print(done, way, dryRun, periodSeconds);
  });
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
