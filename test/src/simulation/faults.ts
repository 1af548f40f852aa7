import type { Draw } from "./draw.js";
import type { DeathAtWrite } from "./disk.js";
import type { Scenario } from "./scenario.js";
import type { Seat } from "./seat.js";
import type { Timeline } from "./timeline.js";

/** Milliseconds from a death to the next life. */
const AWAY_MS = [500, 90_000] as const;
const PART_MS = [5_000, 240_000] as const;

interface Partition {
  readonly from: number;
  readonly until: number;
  readonly apart: ReadonlySet<string>;
}

/** What goes wrong in a run, until `calmAt`: from then on nothing does any more, and everybody is up. */
export class Faults {
  readonly #scenario: Scenario;
  readonly #timeline: Timeline;
  readonly #draw: Draw;
  readonly #calmAt: number;
  readonly #partitions: Partition[] = [];

  constructor(scenario: Scenario, modules: { readonly timeline: Timeline; readonly draw: Draw }, calmAt: number) {
    this.#scenario = scenario;
    this.#timeline = modules.timeline;
    this.#draw = modules.draw;
    this.#calmAt = calmAt;
  }

  get isCalm(): boolean {
    return this.#timeline.now() >= this.#calmAt;
  }

  /** A probability in thousandths, while faults last. */
  chance(setting: "loss" | "twice" | "unheard"): number {
    return this.isCalm ? 0 : this.#scenario[setting] / 1000;
  }

  isCut(a: string, b: string): boolean {
    const now = this.#timeline.now();
    return this.#partitions.some(
      ({ from, until, apart }) => from <= now && now < until && apart.has(a) !== apart.has(b),
    );
  }

  /** Whether, and when, a process dies at the write that it asks for now. */
  readonly death = (): DeathAtWrite | undefined => {
    if (this.isCalm || !this.#draw.chance(this.#scenario.deaths / 1000)) return undefined;
    return this.#draw.pick<DeathAtWrite>(["before", "untold", "told"]);
  };

  /** Draws partitions and kills between now and the calm. */
  schedule(seats: readonly Seat[], from: number): void {
    const span = this.#calmAt - from;
    for (let i = 0; i < this.#scenario.partitions; i += 1) {
      const begin = from + this.#draw.below(span);
      const apart = new Set(seats.filter(() => this.#draw.chance(0.35)).map(({ name }) => name));
      const until = Math.min(begin + this.#draw.within(PART_MS), this.#calmAt);
      this.#partitions.push({ from: begin, until, apart });
    }
    for (let i = 0; i < this.#scenario.kills; i += 1) {
      const victim = this.#draw.pick(seats);
      this.#timeline.at(from + this.#draw.below(span), `${victim.name} is killed`, () => {
        victim.kill();
      });
    }
  }

  /** Who died is started anew after a while. */
  readonly revive = (seat: Seat): void => {
    const away = this.#draw.within(AWAY_MS);
    const back = this.isCalm ? this.#timeline.now() : Math.min(this.#timeline.now() + away, this.#calmAt);
    this.#timeline.at(back, `${seat.name} starts`, () => seat.start());
  };
}
