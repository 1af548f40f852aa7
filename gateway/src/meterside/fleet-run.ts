import { Fleet, Meter, type MeterClock } from "@veilgrid/meter-client";
import {
  Reader,
  VerifiedSignatures,
  Writer,
  addPeriods,
  comparePeriods,
  daAddress,
  nextPeriod,
  periodAt,
  periodEnd,
  window,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import type { Store } from "../ports/store.js";
import type { Transport } from "../ports/transport.js";
import { FAULTS, faultsOf, isServed, type Fault, type Shares } from "./conduct.js";
import { FleetCounts, type Figures } from "./fleet-figures.js";
import type { FleetMeter } from "./fleet-file.js";
import { FleetTraffic, slotName } from "./fleet-traffic.js";
import type { Households } from "./households.js";

/** Acks that the fleet remembers to have verified: a bundle's acks are those of up to 256 readings. */
const REMEMBERED = 100_000;
/** What a report still has of the periods of a fleet that runs for months. */
const MOST_PERIODS = 1_000;
/** A wrong clock is between so many minutes behind and as many ahead. */
const WRONG_MINUTES = 10;
const MINUTE_MS = 60_000;
const LAST = "fleet/last";

export interface FleetOptions {
  readonly params: Params;
  readonly consortium: Uint8Array;
  readonly meters: readonly FleetMeter[];
  readonly shares: Shares;
  /** The halves leave within so many milliseconds of a window's opening; within the whole window if not given. */
  readonly withinMs?: number | undefined;
  readonly patienceMs?: number | undefined;
  readonly inFlight: number;
  readonly giveUpMs: number;
  /** After a window receipts may still be on their way to the disk: milliseconds of the clock. */
  readonly slackMs: number;
  /** The first period that counts; the one in which the fleet is started first, if that is later or not given. */
  readonly first?: Period | undefined;
  /** The run is done after so many periods; never, if not given. */
  readonly periods?: number | undefined;
}

export interface FleetModules {
  readonly clock: Clock;
  readonly store: Store;
  readonly transport: Transport;
  readonly random: Random;
  readonly households: Households;
  readonly log: Log;
  /** Milliseconds of the machine. */
  readonly machine: () => number;
}

/** What became of a period. */
export interface FleetPeriod {
  /** When it began. */
  readonly start: string;
  /** Meters with a consumption. */
  readonly recorded: number;
  /** Readings (halves) of meters without a fault that keeps them from being accepted. */
  readonly due: number;
  /** Of these, those with a receipt on disk. */
  readonly receipted: number;
}

/** What a fleet did. */
export interface FleetReport {
  readonly meters: number;
  readonly faulty: Readonly<Record<string, number>>;
  /** The last thousand. */
  readonly periods: readonly FleetPeriod[];
  /** Readings that were due and have no receipt. */
  readonly lost: number;
  readonly longestQueue: number;
  readonly figures: Figures;
}

/** Thousands of simulated meters in one process, on one store. */
export class FleetRun {
  /** Resolves when all periods that were asked for are over. */
  readonly done: Promise<void>;
  readonly #options: FleetOptions;
  readonly #modules: FleetModules;
  readonly #faults: readonly (Fault | undefined)[];
  readonly #counts = new FleetCounts();
  readonly #traffic: FleetTraffic;
  readonly #fleet: Fleet;
  readonly #timers = new Set<Timer>();
  readonly #periods: FleetPeriod[] = [];
  #over = 0;
  #lost = 0;
  #finish: () => void = () => undefined;

  constructor(options: FleetOptions, modules: FleetModules) {
    this.#options = options;
    this.#modules = modules;
    this.done = new Promise((resolve) => (this.#finish = resolve));
    const { params, meters, shares, inFlight, giveUpMs } = options;
    this.#faults = faultsOf(shares, meters.length, modules.random);
    this.#traffic = new FleetTraffic(
      { params, das: params.da.map(daAddress), inFlight, giveUpMs },
      { ...modules, counts: this.#counts },
    );
    const memory = new VerifiedSignatures(REMEMBERED);
    const made = meters.map((meter, i) => this.#meter(meter, this.#faults[i], memory));
    this.#fleet = new Fleet(made, modules.store, { atOnce: true });
  }

  #meter({ name, region, month, key }: FleetMeter, fault: Fault | undefined, memory: VerifiedSignatures): Meter {
    const { params, consortium, patienceMs } = this.#options;
    const { store, random, log } = this.#modules;
    return new Meter(
      { name, consortium, region, params, key: { month, key }, ...(patienceMs === undefined ? {} : { patienceMs }) },
      {
        clock: fault === "wrong-clock" ? this.#wrongClock(name) : this.#modules.clock,
        store,
        transport: this.#traffic.of(name, fault),
        random: this.#within(random),
        memory,
        log: (level, event, facts) => {
          // One meter's trouble is the operator's to see in the figures: ten thousand would fill the disk.
          log(level === "warn" ? "debug" : level, event, facts);
        },
      },
    );
  }

  #wrongClock(name: string): MeterClock {
    const { clock, random } = this.#modules;
    const minutes = random.below(2 * WRONG_MINUTES, "wrong-clock", name) - WRONG_MINUTES;
    const off = (minutes < 0 ? minutes : minutes + 1) * MINUTE_MS;
    return { now: () => clock.now() + off, at: (time, label, action) => clock.at(time - off, label, action) };
  }

  /** In a burst the meters draw the times of their halves from the window's first moments. */
  #within(random: Random): Random {
    const { withinMs } = this.#options;
    if (withinMs === undefined) return random;
    return {
      bytes: (count, ...labels) => random.bytes(count, ...labels),
      below: (limit, ...labels) =>
        random.below(labels.includes("send") ? Math.max(1, Math.min(limit, withinMs)) : limit, ...labels),
    };
  }

  /** Takes up what is due, and goes on with the period that is under way. */
  async start(): Promise<void> {
    const { clock } = this.#modules;
    const { periodSeconds } = this.#options.params;
    await this.#fleet.start();
    const now = periodAt(clock.now(), periodSeconds);
    let due = await this.#next(now);
    // What ended while the process was away: a register with a memory knows it still.
    for (; periodEnd(due, periodSeconds) <= clock.now(); due = nextPeriod(due, periodSeconds)) {
      if (this.#closes(due) > clock.now()) await this.#record(due);
    }
    this.#plan(due);
  }

  /** Cancels all timers; answers that still come are ignored. */
  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#fleet.stop();
  }

  get report(): FleetReport {
    const faulty = FAULTS.map((fault) => [fault, this.#faults.filter((one) => one === fault).length] as const);
    return {
      meters: this.#fleet.meters.length,
      faulty: Object.fromEntries(faulty),
      periods: this.#periods,
      lost: this.#lost,
      longestQueue: this.#traffic.longestQueue,
      figures: this.#counts.figures,
    };
  }

  /** The first period that no earlier process has recorded, of those whose windows may be open. */
  async #next(now: Period): Promise<Period> {
    const { periodSeconds, submissionWindow } = this.#options.params;
    const bytes = this.#modules.store.get(LAST);
    if (bytes === undefined) {
      const { first = now } = this.#options;
      const begin = comparePeriods(first, now) > 0 ? first : now;
      // A fleet begins with the period in which it is started, also when it is killed before that period's end.
      await this.#keepLast(addPeriods(begin, -1, periodSeconds));
      return begin;
    }
    const from = new Reader(bytes, "last period");
    const next = nextPeriod({ month: from.u32(), k: from.u16() }, periodSeconds);
    const oldest = addPeriods(now, -1 - Math.ceil(submissionWindow / periodSeconds), periodSeconds);
    const end = (period: Period): number => periodEnd(period, periodSeconds);
    return end(next) > end(oldest) ? next : oldest;
  }

  async #keepLast({ month, k }: Period): Promise<void> {
    await this.#modules.store.write([{ key: LAST, value: new Writer().u32(month).u16(k).bytes() }]);
  }

  #closes(period: Period): number {
    return window(period, this.#options.params).closes;
  }

  #at(time: number, label: string, action: () => Promise<void>): void {
    const timer: Timer = this.#modules.clock.at(time, label, async () => {
      this.#timers.delete(timer);
      await action();
    });
    this.#timers.add(timer);
  }

  #plan(period: Period): void {
    const { periodSeconds } = this.#options.params;
    this.#at(periodEnd(period, periodSeconds), "period ends", async () => {
      this.#plan(nextPeriod(period, periodSeconds));
      await this.#record(period);
    });
  }

  async #record(period: Period): Promise<void> {
    const { households, machine } = this.#modules;
    const begun = machine();
    const consumptions = this.#faults.map((fault, i) =>
      fault === "silent" ? undefined : households.consumption(this.#householdOf(i), period),
    );
    this.#at(this.#closes(period) + this.#options.slackMs, "window over", () => this.#conclude(period, consumptions));
    await this.#fleet.record(period, consumptions);
    await this.#keepLast(period);
    const { month, k } = period;
    this.#modules.log("info", "period-recorded", { month, k, ms: Math.round(machine() - begun) });
  }

  #householdOf(meter: number): number {
    return this.#options.meters[meter]?.household ?? meter;
  }

  async #conclude(period: Period, consumptions: readonly (bigint | undefined)[]): Promise<void> {
    const { periodSeconds } = this.#options.params;
    let [recorded, due, receipted] = [0, 0, 0];
    for (const [i, meter] of this.#fleet.meters.entries()) {
      if (consumptions[i] === undefined) continue;
      recorded += 1;
      if (!isServed(this.#faults[i])) continue;
      due += 2;
      for (const half of [0, 1] as const) if (meter.proof(period, half) !== undefined) receipted += 1;
    }
    this.#counts.forget(slotName(period));
    const start = new Date(periodEnd(period, periodSeconds) - periodSeconds * 1000).toISOString();
    this.#periods.push({ start, recorded, due, receipted });
    if (this.#periods.length > MOST_PERIODS) this.#periods.shift();
    this.#over += 1;
    this.#lost += due - receipted;
    const level = receipted < due ? "warn" : "info";
    this.#modules.log(level, "period-over", { start, recorded, due, receipted });
    if (this.#over === this.#options.periods) this.#finish();
    await Promise.resolve();
  }
}
