import { quorum } from "@veilgrid/protocol";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { StateFolder } from "./folder.js";
import { boundLog } from "./log.js";
import { ordererView, type OrdererView } from "./metrics.js";
import { ordererName, ordererPlan } from "./orderers.js";
import { knownProcesses, processStatus, startProcess, stopProcess, type ProcessPlan } from "./process.js";
import type { Say } from "./say.js";
import { Site } from "./site.js";

/** Its name among the processes. */
export const WATCHDOG = "watchdog";

/** When orderers count as stuck. Milliseconds. */
export interface WatchdogTimes {
  /** Between two looks. */
  readonly look: number;
  /**
   * How long requests may wait without a block. A dead leader costs Forward + Complain, 11 s, and a view change that
   * has to be repeated 5 s each time.
   */
  readonly stuck: number;
}

export const WATCHDOG_TIMES: WatchdogTimes = { look: 2000, stuck: 30_000 };

/** What the orderers say at one moment. */
export interface Sighting {
  /** Milliseconds on any clock that does not jump. */
  readonly at: number;
  /** The greatest number of blocks. */
  readonly height: number;
  /** The most requests that one of them has waiting, 0 if too few run to order any. */
  readonly waiting: number;
}

/**
 * Notices that orderers run, have something to order, and write no block. After several freezes in turn SmartBFT has
 * been seen to disagree about its view for minutes although all orderers ran; restarted, they agreed in seconds.
 */
export class StuckDetector {
  readonly #stuck: number;
  #height = -1;
  #since: number | undefined;

  constructor(stuck: number) {
    this.#stuck = stuck;
  }

  /** Takes a look; true when it is time to restart the orderers, once for each time they are stuck. */
  sees({ at, height, waiting }: Sighting): boolean {
    if (height !== this.#height || waiting === 0) {
      this.#height = height;
      this.#since = waiting === 0 ? undefined : at;
      return false;
    }
    this.#since ??= at;
    if (at - this.#since < this.#stuck) return false;
    this.#since = undefined;
    return true;
  }
}

/** How the watchdog itself runs. */
export function watchdogPlan(site: Site): ProcessPlan {
  return {
    name: WATCHDOG,
    file: process.execPath,
    args: [fileURLToPath(new URL("./watchdog-main.js", import.meta.url)), site.folder.root],
    cwd: site.folder.root,
    env: {},
    ports: [],
  };
}

/** With too few orderers that answer nothing can be ordered, and a restart would only forget what waits. */
function sighting(size: number, views: readonly OrdererView[]): Sighting {
  const able = views.length >= quorum(size);
  return {
    at: performance.now(),
    height: Math.max(0, ...views.map(({ height }) => height)),
    waiting: able ? Math.max(...views.map(({ waiting }) => waiting)) : 0,
  };
}

/**
 * Stops and starts the orderers that run; what was killed or frozen by someone stays so. Requests that they had taken
 * and not ordered are forgotten: a client that sees no outcome sends the same bytes again.
 */
async function restartOrderers(site: Site): Promise<string[]> {
  const running = site.aggregators.filter((da) => processStatus(site.folder, ordererName(da)).state === "running");
  await Promise.all(running.map((da) => stopProcess(site.folder, ordererName(da))));
  for (const da of running) startProcess(site.folder, ordererPlan(site, da));
  return running.map(ordererName);
}

/**
 * Watches the orderers of a folder's network, those too that join later, and the size of all logs, until it is told to stop
 * or the network is no more.
 */
export async function watch(root: string, say: Say, times = WATCHDOG_TIMES, stop?: AbortSignal): Promise<void> {
  const detector = new StuckDetector(times.stuck);
  while (new StateFolder(root).exists && stop?.aborted !== true) {
    const site = Site.open(root);
    const views = await Promise.all(site.aggregators.map((da) => ordererView(site, da)));
    if (
      detector.sees(
        sighting(
          site.size,
          views.filter((view) => view !== undefined),
        ),
      )
    ) {
      say(`no block for ${times.stuck / 1000} s though requests wait`);
      say(`restarted ${(await restartOrderers(site)).join(", ")}`);
    }
    for (const name of knownProcesses(site.folder)) boundLog(site.folder, name);
    await pause(times.look);
  }
}
