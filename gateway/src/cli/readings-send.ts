import { addPeriods } from "@veilgrid/protocol";
import type { Command } from "commander";
import type { Run } from "../world/run.js";
import type { Delivery, World } from "../world/world.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples, whole } from "./options.js";
import { counted, line, printJson, Progress, startOf } from "./output.js";
import { reach, withRun, withWorld } from "./stages.js";

interface SendOptions extends StageOptions {
  readonly periods: number;
}

/** What the meters sent of a period. */
interface SentPeriod extends Delivery {
  readonly periodStart: string;
}

const SHOWN = 20;

const NOTES = `Each meter sends two masked halves a period at two random times to two aggregators, and keeps each until it
has a receipt of a quorum. The other roles work meanwhile: blocks are formed as soon as windows are over.`;

/** `veilgrid readings send`: the meters' part of the next periods. */
export function addReadingsSend(parent: Command): void {
  addStageOptions(parent.command("send"))
    .description("run on until the windows of the next periods are over: all halves are sent")
    .option("--periods <n>", "how many periods", whole(1), 1)
    .addHelpText(
      "after",
      examples(
        ["veilgrid readings send --out my-run", "veilgrid readings send --periods 4 --out my-run"],
        `${NOTES}\n\n${ON_FABRIC}`,
      ),
    )
    .action((options: SendOptions) => send(options));
}

async function send(options: SendOptions): Promise<void> {
  const { out, json = false, periods } = options;
  await withRun(options, async (run) => {
    const sent = await withWorld(run, (world) => sendPeriods(run, world, periods, new Progress(json)));
    if (json) printJson({ periods: sent });
    else print(sent);
    if (!json) line(`Next:  veilgrid periods run --out ${out}`);
  });
}

async function sendPeriods(run: Run, world: World, count: number, progress: Progress): Promise<SentPeriod[]> {
  const { first, periods, periodSeconds } = run.record.input;
  const from = world.nextWindow;
  const to = Math.min(from + count, periods);
  await reach(world, run, progress, () => Promise.resolve(world.nextWindow >= to));
  return Array.from({ length: to - from }, (_, i) => ({
    periodStart: startOf(addPeriods(first, from + i, periodSeconds), periodSeconds),
    ...world.delivery(from + i),
  }));
}

function print(sent: readonly SentPeriod[]): void {
  if (sent.length === 0) line("the windows of all the run's periods are over already");
  for (const { periodStart, halves, receipted } of sent.slice(0, SHOWN)) {
    line(`${periodStart}: ${counted(halves, "half", "halves")} to send, ${receipted} with a receipt`);
  }
  if (sent.length > SHOWN) line(`... and ${counted(sent.length - SHOWN, "more period")}`);
}
