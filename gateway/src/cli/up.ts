import { fileURLToPath } from "node:url";
import { VeilgridError, isVeilgridError } from "@veilgrid/protocol";
import { InvalidArgumentError, type Command } from "commander";
import type { Overview } from "../local/overview.js";
import type { RunningReport } from "../local/running.js";
import type { ProcessEvent } from "../local/supervisor.js";
import { untilStopped } from "../process/stopping.js";
import { addShapeOptions, shapeOf, type ShapeOptions } from "./consortium-init.js";
import { EXIT } from "./failure.js";
import { examples, jsonOption } from "./options.js";
import { counted, line, printFacts, printJson } from "./output.js";
import { blockText, processText, stepText, UpView } from "./up-view.js";

interface UpOptions extends ShapeOptions {
  readonly out: string;
  readonly factor: number | "auto";
  readonly json?: boolean;
}

const PROGRAM = fileURLToPath(new URL("../../../bin/veilgrid.js", import.meta.url));

const NOTES = `The folder is made as by "veilgrid consortium init" unless it is there; then the other options are those that it was
made with, and the run goes on where it was. Time is a time-lapse: --factor auto chooses how fast from what this
machine does, and looks again after two periods. Each party is a process of its own; one that dies is started again.
At the end registers, receipts, ledger and bills are compared, and the ledger is audited. Ctrl-C stops everything;
the same command again goes on.`;

/** A factor, or "auto". */
function factor(text: string): number | "auto" {
  if (text === "auto") return text;
  const value = Number(text);
  if (value >= 0.1 && value <= 10_000) return value;
  throw new InvalidArgumentError("It must be auto, or from 0.1 to 10000.");
}

/** `veilgrid up`: a whole consortium of processes on this machine. */
export function addUp(parent: Command): void {
  addShapeOptions(parent.command("up"))
    .description("run a whole consortium as processes on this machine, from the first reading to verified bills")
    .option("--factor <f>", "how many times as fast as the machine's its time goes, or auto", factor, "auto")
    .requiredOption("--out <folder>", "the consortium's folder")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid up --meters 12 --periods 4 --out my-consortium",
          "veilgrid up --meters 1000 --ledger fabric --profile .fabric/profile.json --out my-consortium",
        ],
        NOTES,
      ),
    )
    .action((options: UpOptions) => up(options));
}

/** The folder's consortium, made now if it is not there. */
async function consortiumIn({ out, ...options }: UpOptions): Promise<Overview> {
  const { readOverview } = await import("../local/overview.js");
  try {
    return await readOverview(out);
  } catch (error) {
    if (!isVeilgridError(error, "no-consortium")) throw error;
  }
  const { makeConsortium } = await import("../local/making.js");
  return makeConsortium(await shapeOf(options), out);
}

async function up(options: UpOptions): Promise<void> {
  const { out, json = false } = options;
  const view = new UpView(json);
  const stopped = untilStopped();
  const { first } = await consortiumIn(options);
  const { Running } = await import("../local/running.js");
  const running = new Running(
    { folder: out, program: PROGRAM, factor: options.factor },
    {
      onStep: (step) => {
        view.say(stepText(step));
      },
      onLook: (standing, consortium) => {
        view.show(standing, consortium);
      },
      onBlock: (block) => {
        view.say(blockText(block, { month: first.month, k: block.k }));
      },
      onProcess: (event: ProcessEvent) => {
        const text = processText(event);
        if (text !== undefined) view.say(text);
      },
    },
  );
  const outcome = await Promise.race([running.run(), stopped]);
  view.end();
  if (typeof outcome !== "string") {
    report(outcome, json);
    const { isClean } = await import("../local/reckoning.js");
    if (!isClean(outcome)) process.exitCode = EXIT.failed;
    return;
  }
  view.say("stopping; the same command again goes on");
  await running.stop();
  throw new VeilgridError("interrupted", `stopped by ${outcome}`, { blame: "caller", retry: true });
}

function report(result: RunningReport, json: boolean): void {
  const { readings, sums, bills, audit, factor: pace, seconds, terms, restarts } = result;
  if (json) printJson(result);
  else {
    const again = Object.entries(restarts).map(([name, count]) => `${name} ${counted(count, "time")}`);
    printFacts([
      ["pace", `${pace} times the machine's time, ${seconds.toFixed(0)} s in all`],
      [
        "readings",
        `${readings.receipted} of ${readings.due} with a receipt, ${readings.once} of them on the ledger once`,
      ],
      ["sums", `${sums.measured} of ${sums.periods} released, ${sums.exact} of them those of the registers`],
      [
        "bills",
        `${bills.issued}, ${bills.verified} recomputed by their customers, ${bills.exact} those of the registers`,
      ],
      ["leaders", String(terms)],
      ["started again", again.length === 0 ? "nobody" : again.join(", ")],
      ["audit", `${counted(audit.blocks, "ledger block")}, ${counted(audit.findings.length, "finding")}`],
    ]);
    for (const { block, code, message } of audit.findings) line(`  block ${block}: ${code}: ${message}`);
  }
}
