import { READING_BYTES, periodStart, readingCodec, toHex, utf8, window, type Reading } from "@veilgrid/protocol";
import type { World } from "@veilgrid/gateway";
import { Stranger, type Asked } from "../world/stranger.js";
import type { FaultKind, Story } from "./story.js";

/** How long after a window's end what is late comes, within what aggregators still pass on to each other. */
const LATE_MS = 1_000;

/** Loses what a story's meters do not get through, and brings what is late when it is too late. */
export class Faults {
  readonly #story: Story;
  /** The half that is lost, by home and period: the first that was sent. */
  readonly #lost = new Map<string, string>();
  readonly #kept = new Set<string>();
  readonly #late: Asked[] = [];

  constructor(story: Story) {
    this.#story = story;
  }

  /** What aggregators said of readings that came too late. */
  get answers(): readonly string[] {
    return this.#late.map(({ heard }) => heard);
  }

  /** Begins with a world; once for each that is opened. */
  begin(world: World): void {
    const stranger = new Stranger(world);
    world.network.drop(({ method, direction, from, bytes }) => {
      const home = method === "reading" && direction === "request" ? this.#home(from) : -1;
      if (home < 0) return false;
      const reading = readingCodec.decode(bytes.subarray(0, READING_BYTES));
      const n = this.#n(reading);
      const { fault } = this.#story.standing(home, n);
      if (fault === "late") this.#keepLate(stranger, world, reading, bytes);
      return this.#isLost(fault, `${home}/${n}`, toHex(reading.prid));
    });
  }

  /** The first device of a home has its place for a name, a later one the meter's name and its change's number. */
  #home(from: string): number {
    const [, name = ""] = from.split("meter/");
    if (/^\d{5}$/.test(name)) return Number(name);
    const [meter = ""] = name.split(".");
    return this.#story.csv.households.findIndex((household) => toHex(utf8(household)) === meter);
  }

  #n({ period }: Reading): number {
    return (periodStart(period, 1800) - (this.#story.csv.starts[0] as number)) / 1_800_000;
  }

  #isLost(fault: FaultKind | "keyless" | undefined, slot: string, prid: string): boolean {
    if (fault !== "half") return fault === "silent" || fault === "late";
    if (!this.#lost.has(slot)) this.#lost.set(slot, prid);
    return this.#lost.get(slot) === prid;
  }

  #keepLate(stranger: Stranger, world: World, { period, prid }: Reading, bytes: Uint8Array): void {
    if (this.#kept.has(toHex(prid))) return;
    this.#kept.add(toHex(prid));
    const copy = bytes.slice();
    stranger.at(window(period, world.params).closes + LATE_MS, () => {
      this.#late.push(stranger.ask((prid[0] as number) % 4, "reading", copy));
    });
  }
}
