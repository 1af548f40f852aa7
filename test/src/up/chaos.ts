import type { LocalConsortium, Standing } from "@veilgrid/gateway";

/** What happens to a consortium's processes while it runs. */
export interface Mishaps {
  /** By the period (from 0) in whose course it happens: aggregators whose process is killed. */
  readonly kills: ReadonlyMap<number, readonly number[]>;
  /** Periods in whose course the process of the leader of that moment is killed. */
  readonly leaderKills: readonly number[];
  /** An aggregator that is alone from one period to another, the second not included. */
  readonly alone?: { readonly from: number; readonly to: number; readonly begin: () => void; readonly end: () => void };
}

/** Has mishaps happen when their periods have come. */
export class Chaos {
  readonly #mishaps: Mishaps;
  readonly #done = new Set<string>();
  /** What happened, in order. */
  readonly told: string[] = [];

  constructor(mishaps: Mishaps) {
    this.#mishaps = mishaps;
  }

  /** To be called again and again. */
  look({ leader }: Standing, consortium: LocalConsortium): void {
    const { overview, params } = consortium;
    const period = Math.floor((consortium.now() - consortium.freezes(0)) / (overview.periodSeconds * 1000)) + 1;
    for (const [at, das] of this.#mishaps.kills) {
      if (period >= at)
        for (const da of das) {
          this.#once(`da${da} killed in period ${at}`, () => {
            this.#kill(consortium, da);
          });
        }
    }
    for (const at of this.#mishaps.leaderKills) {
      const index = params.da.findIndex(({ msp }) => msp === leader);
      if (period >= at && index >= 0) {
        this.#once(`leader killed in period ${at}`, () => {
          this.#kill(consortium, index);
        });
      }
    }
    const { alone } = this.#mishaps;
    if (alone === undefined) return;
    if (period >= alone.from) this.#once("partition begins", alone.begin);
    if (period >= alone.to) this.#once("partition ends", alone.end);
  }

  #kill({ supervisor }: LocalConsortium, da: number): void {
    supervisor.signal(`da${da}`, "SIGKILL");
  }

  #once(what: string, happen: () => void): void {
    if (this.#done.has(what)) return;
    this.#done.add(what);
    this.told.push(what);
    happen();
  }
}
