import {
  memberIndex,
  periodEnd,
  periodStart,
  addPeriods,
  type LedgerView,
  type Member,
  type Period,
} from "@veilgrid/protocol";
import type { Fault } from "../input/faults.js";
import type { Clock } from "../ports/clock.js";
import type { Store } from "../ports/store.js";
import { seatOfMsp } from "./consortium.js";

/** How long after the end of its period the leader is killed: in the middle of the window, while halves come in. */
const KILL_AFTER_MS = 300_000;

/** Takes an aggregator down or brings it back, as a killed and restarted process. */
export type Switch = (da: number, up: boolean) => Promise<void>;

interface Outage {
  readonly da: number;
  /** Unix milliseconds; `until` is undefined where nobody brings it back. */
  readonly from: number;
  readonly until: number | undefined;
}

const KILLED = "killed/";
const ENDED = "outages-ended";

function encodeTime(time: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, time);
  return bytes;
}

function decodeTime(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
}

/**
 * The outages that `--fault` asks for. Which DA is down is a function of time and of what is kept here, so a run that
 * was killed goes on with the same DAs down; one that stopped for a lost quorum goes on with all of them up, since
 * calling it again is the operator's starting them.
 */
export class Outages {
  readonly #faults: readonly Fault[];
  readonly #first: Period;
  readonly #periodSeconds: number;
  readonly #store: Store;
  #outages: Outage[] = [];

  constructor(run: { faults: readonly Fault[]; first: Period; periodSeconds: number }, modules: { store: Store }) {
    this.#faults = run.faults;
    this.#first = run.first;
    this.#periodSeconds = run.periodSeconds;
    this.#store = modules.store;
  }

  #period(n: number): Period {
    return addPeriods(this.#first, n, this.#periodSeconds);
  }

  #planned(): Outage[] {
    return this.#faults.flatMap((fault) => {
      if (fault.kind !== "down") return [];
      const from = periodStart(this.#period(fault.from), this.#periodSeconds);
      const until = fault.to === undefined ? undefined : periodEnd(this.#period(fault.to), this.#periodSeconds);
      return [{ da: fault.da, from, until }];
    });
  }

  /** Reads what is kept, and sets the timers of what is still to come. */
  async start(clock: Clock, view: LedgerView, change: Switch): Promise<void> {
    const endedBytes = this.#store.get(ENDED);
    const ended = endedBytes === undefined ? -1 : decodeTime(endedBytes);
    const killed = (await this.#store.range(KILLED)).map(({ key, value }) => ({
      period: Number(key.slice(KILLED.length)),
      da: value[0] as number,
      from: decodeTime(value.subarray(1)),
      until: undefined,
    }));
    this.#outages = [...this.#planned(), ...killed].filter(({ from, until }) => until !== undefined || from > ended);
    for (const { da, from, until } of this.#outages) {
      clock.at(from, `da/${da} goes down`, () => change(da, false));
      if (until !== undefined) clock.at(until, `da/${da} comes back`, () => change(da, true));
    }
    const done = new Set(killed.map(({ period }) => period));
    for (const fault of this.#faults) {
      if (fault.kind !== "kill-leader" || done.has(fault.period)) continue;
      const time = periodEnd(this.#period(fault.period), this.#periodSeconds) + KILL_AFTER_MS;
      clock.at(time, "the leader is killed", () => this.#kill(fault.period, clock, view, change));
    }
  }

  async #kill(period: number, clock: Clock, view: LedgerView, change: Switch): Promise<void> {
    const { leader } = await view.term();
    if (leader === undefined) return;
    const { da: members } = await view.currentParams();
    const da = seatOfMsp((members[memberIndex(members, leader)] as Member).msp);
    const from = clock.now();
    const value = Uint8Array.from([da, ...encodeTime(from)]);
    await this.#store.write([{ key: `${KILLED}${period}`, value }]);
    this.#outages.push({ da, from, until: undefined });
    await change(da, false);
  }

  /** The DAs that are down at a time. */
  downAt(time: number): ReadonlySet<number> {
    return new Set(
      this.#outages.filter(({ from, until }) => from <= time && time < (until ?? Infinity)).map(({ da }) => da),
    );
  }

  /** Whether a DA that is down now comes back without anybody's doing. */
  returnsAfter(time: number): boolean {
    return this.#outages.some(({ from, until }) => from <= time && until !== undefined && time < until);
  }

  /** The run stops for a lost quorum: who calls it again has started the DAs that nobody else brings back. */
  async end(time: number): Promise<void> {
    await this.#store.write([{ key: ENDED, value: encodeTime(time) }]);
  }
}
