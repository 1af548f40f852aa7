import { KIND, periodStart, VeilgridError, type Header } from "@veilgrid/protocol";
import { claimed } from "../world/claim.js";
import { requirePlace } from "../world/connection.js";
import { DataFolder } from "../world/folder.js";
import { keptRecord, requireRecord } from "../world/record.js";
import { Run } from "../world/run.js";
import type { Stop, World } from "../world/world.js";
import { ledgerNotices } from "./ledger-notices.js";
import type { PlaceOptions, StageOptions } from "./ledger-options.js";
import { counted, startOf, utcMinute, type Progress } from "./output.js";
import { askedRun, type RunOptions } from "./run-options.js";

/**
 * Works on the run that the options ask for: a new one, or the folder's own again. With nothing asked for, a run on Fabric
 * is taken up as it is: it was begun before its parameters could be deployed, by a command of its own.
 */
export async function withAskedRun<T>(options: RunOptions & PlaceOptions, work: (run: Run) => Promise<T>): Promise<T> {
  const folder = new DataFolder(options.out);
  await folder.requireOwn();
  const kept = options.force === true ? undefined : await keptRecord(folder);
  if (kept?.arguments.ledger === "fabric" && !options.isAsked) return withRun(options, work);
  const { record, readings } = await askedRun(options, options.ledger ?? kept?.arguments.ledger);
  requirePlace(folder, record, options);
  return claimed(folder, async () => {
    if (options.force === true) await folder.clear();
    return work(await Run.begin(folder, record, readings, options.profile));
  });
}

/** Works on the run of a folder. @throws VeilgridError `no-run`, `other-arguments`, `folder-in-use`, `damaged-folder`. */
export async function withRun<T>(options: StageOptions, work: (run: Run) => Promise<T>): Promise<T> {
  const folder = new DataFolder(options.out);
  // Asked first, so that a folder without a run stays as it is.
  requirePlace(folder, await requireRecord(folder), options);
  return claimed(folder, async () => work(await Run.resume(folder, options.profile)));
}

/** Works with all roles of a run. @param remember whether they share a memory of verified signatures. */
export async function withWorld<T>(run: Run, work: (world: World) => Promise<T>, remember = true): Promise<T> {
  const world = await run.world({ remember, log: ledgerNotices() });
  try {
    return await work(world);
  } finally {
    await world.close();
  }
}

/**
 * Lets the roles work until `goal` holds, and shows how far they are.
 * @throws VeilgridError `quorum-lost` where nothing goes on before somebody starts more aggregators, `ledger-unavailable`
 * (and what else a ledger's failure is) where the peers take nothing more.
 */
export async function reach(world: World, run: Run, progress: Progress, goal: () => Promise<boolean>): Promise<void> {
  const { periods, periodSeconds } = run.record.input;
  const all = periods * run.record.arguments.regions;
  let done = await committedPeriods(world, run);
  if (done > 0 && done < all) progress.say(`taken up at ${utcMinute(world.clock.now())}: ${done} of ${all} periods`);
  const stop = await world.advance(goal, ({ kind, period, region, count }: Header) => {
    if (kind === KIND.bills) progress.say("bills are on the ledger");
    if (kind !== KIND.readings) return;
    done += 1;
    const detail = `${startOf(period, periodSeconds)} region ${region}: ${counted(count, "reading")}`;
    progress.show("periods on the ledger", done, all, detail);
  });
  if (stop.reason === "quorum-lost") throw quorumLost(stop);
  if (stop.reason === "ledger-failed") throw ledgerFailed(stop);
}

/** How many of the run's region-periods have their readings block, or none because no epoch covers them. */
async function committedPeriods(world: World, run: Run): Promise<number> {
  const { first, periodSeconds } = run.record.input;
  let done = 0;
  for (const region of await world.view.regions()) {
    const { lastReadings } = await world.view.head(region);
    if (lastReadings === undefined) continue;
    const span = periodStart(lastReadings, periodSeconds) - periodStart(first, periodSeconds);
    done += span / (periodSeconds * 1000) + 1;
  }
  return done;
}

/** Says why the run stands still; nothing is lost, and the same command goes on. */
function quorumLost({ up, needed, time }: Extract<Stop, { reason: "quorum-lost" }>): VeilgridError {
  const at = utcMinute(time);
  return new VeilgridError(
    "quorum-lost",
    `${up} aggregators run and ${needed} are needed (virtual time ${at}). What the meters sent is kept; the same ` +
      "command starts the aggregators again and goes on.",
    { facts: { up, needed, time: at }, blame: "operator", retry: true },
  );
}

/** Virtual time stands still until the peers are there again. */
function ledgerFailed({ error, time }: Extract<Stop, { reason: "ledger-failed" }>): VeilgridError {
  const { code, message, blame, retry } = error;
  const at = utcMinute(time);
  const sentence = `${message} (virtual time ${at}). What is committed and what the meters sent is kept; the same command goes on`;
  return new VeilgridError(code, sentence, { facts: { ...error.facts, time: at }, blame, retry, cause: error });
}
