import { deriveSeeds, H3, leaf, readingCodec, sum, toHex, type Period, type Reading } from "@veilgrid/protocol";
import type { Packet, Run, RunArguments, World } from "@veilgrid/gateway";
import type { MeterCsv } from "../world/meter-csv.js";
import { beginRun } from "../world/small-run.js";

/** How a small world goes, and what is looked at when all its periods are priced. */
export interface Doing<T> {
  readonly csv: MeterCsv;
  readonly asked?: Partial<RunArguments>;
  /** Called with the open world before anything moves. */
  readonly watch?: (world: World, run: Run) => void;
  readonly look: (world: World, run: Run) => Promise<T>;
}

/** Runs all roles of a consortium over the periods of a small file of real homes, as far as their prices. */
export async function inSmallWorld<T>({ csv, asked = {}, watch, look }: Doing<T>): Promise<T> {
  const run = await beginRun(csv, asked);
  const world = await run.world();
  try {
    watch?.(world, run);
    const last = periodOf(run, csv.starts.length - 1);
    const stop = await world.advance(async () => {
      for (const region of await world.view.regions()) {
        if ((await world.view.price(region, last)) === undefined) return false;
      }
      return (await world.view.regions()).length === run.record.arguments.regions;
    });
    if (stop.reason !== "goal") throw new Error(`the world stopped: ${stop.reason}`);
    return await look(world, run);
  } finally {
    await world.close();
  }
}

/** The nth period of a run that stays within one month. */
export function periodOf({ record }: Run, n: number): Period {
  const { month, k } = record.input.first;
  return { month, k: k + n };
}

/** A reading on its way from a household's meter to an aggregator; undefined for any other packet. */
export function readingIn({ from, method, direction, bytes }: Packet, household: number): Reading | undefined {
  const meter = `meter/${String(household).padStart(5, "0")}`;
  const sent = method === "reading" && direction === "request" && from === meter;
  return sent ? readingCodec.decode(bytes.subarray(0, -64)) : undefined;
}

/**
 * Takes a household's readings of a period out of the network, but for the first `passing` halves.
 * @returns what was taken so far, each half once.
 */
export function withhold(world: World, household: number, { k }: Period, passing = 0): readonly Reading[] {
  const seen: string[] = [];
  const taken: Reading[] = [];
  world.network.drop((packet) => {
    const reading = readingIn(packet, household);
    if (reading?.period.k !== k) return false;
    const prid = toHex(reading.prid);
    const isNew = !seen.includes(prid);
    if (isNew) seen.push(prid);
    if (seen.indexOf(prid) < passing) return false;
    if (isNew) taken.push(reading);
    return true;
  });
  return taken;
}

/** Both masks of some households in a period, added up in Z_2^64: what only KGCBP and their meters know. */
export async function masksOf(world: World, { keys }: Run, households: readonly number[], at: Period): Promise<bigint> {
  const consortium = await world.view.consortium();
  return sum(
    households.flatMap((household) => {
      const seeds = deriveSeeds(keys.homes[household]?.monthKey as Uint8Array, consortium, at.month);
      return [seeds.r0, seeds.r1].map((seed) => H3(leaf(seed, at.k)));
    }),
  );
}
