import { setTimeout as pause } from "node:timers/promises";
import { heights, ordererView, type Aggregator, type Site } from "@veilgrid/network";

/** Milliseconds between two looks: far less than any time that is measured by them. */
const LOOK = 50;

/** Milliseconds in which processes that were started have what the others have: an orderer asks at a heartbeat. */
const CATCH_UP = 90_000;

/** Waits until all peers and all orderers have as many blocks, and tells how many. */
export async function sameHeight(site: Site): Promise<number> {
  const all = site.aggregators.length + site.withPeer.length;
  const end = performance.now() + CATCH_UP;
  for (;;) {
    const known = await heights(site);
    const different = new Set(known.values());
    const [height] = different;
    if (height !== undefined && known.size === all && different.size === 1) return height;
    if (performance.now() > end) throw new Error(`not all have the same blocks: ${JSON.stringify([...known])}`);
    await pause(LOOK);
  }
}

/** The most blocks that one of these orderers has. */
async function ordered(site: Site, orderers: readonly Aggregator[]): Promise<number> {
  const views = await Promise.all(orderers.map((da) => ordererView(site, da)));
  return Math.max(0, ...views.map((view) => view?.height ?? 0));
}

/**
 * The longest time in which these orderers wrote no block, from `since` (of `performance.now`) until they have written so
 * many more; in seconds. A block that was on its way when a leader died does not count for one after it: ask for two.
 * @param isOver whether nobody asks for blocks any more; no further one is then waited for.
 */
export async function longestPause(
  site: Site,
  orderers: readonly Aggregator[],
  { since, blocks, isOver }: { since: number; blocks: number; isOver: () => boolean },
): Promise<number> {
  let [last, longest] = [since, 0];
  let height = await ordered(site, orderers);
  for (let left = blocks; left > 0 && !isOver();) {
    const next = await ordered(site, orderers);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    if (next > height) {
      left -= next - height;
      [height, last] = [next, now];
    }
    await pause(LOOK);
  }
  return longest / 1000;
}
