import {
  VeilgridError,
  addPeriods,
  daAddress,
  monthName,
  periodAt,
  periodsInMonth,
  window,
  type Member,
  type Params,
  type Period,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { makeReadings, type Half, type Place } from "./halves.js";
import { MonthKeys, type MonthKey } from "./monthkeys.js";
import { Outbox, type Proof, type Refusal } from "./outbox.js";
import type { MeterChange, MeterClock, MeterLog, MeterRandom, MeterStore, MeterTransport } from "./ports.js";
import { Sending } from "./sending.js";
import { Timekeeping } from "./timekeeping.js";
import { Versions } from "./versions.js";

/** What a meter is told at its installation. It knows no BID: what it sends is never tied to a customer. */
export interface MeterOptions {
  /** Unique among the meters that share a store; the keys of its entries begin with it. */
  readonly name: string;
  /** The consortium id, 32 bytes. */
  readonly consortium: Uint8Array;
  readonly region: number;
  /** The parameter set in force at the installation; later ones the meter learns from the DAs. */
  readonly params: Params;
  /** The key of the month in which the meter begins; later it goes on with the one in its store. */
  readonly key: MonthKey;
  /** How long a DA may take to answer before the next one is tried, milliseconds; 3 s more than `roundSeconds` if not given. */
  readonly patienceMs?: number;
}

/** What a DA may take beyond `roundSeconds`, within which it has the acks or says that it has too few. */
const ANSWER_SLACK_MS = 3_000;
const DAY_MS = 86_400_000;

/** What a meter works with. */
export interface MeterModules {
  readonly clock: MeterClock;
  readonly store: MeterStore;
  readonly transport: MeterTransport;
  readonly random: MeterRandom;
  /** Meters of one process may share the memory of verified acks. */
  readonly memory?: VerifiedSignatures;
  readonly log?: MeterLog;
}

function slotOf({ month, k }: Period): string {
  return `${month}/${k}`;
}

/**
 * A smart meter (PROTOCOL sections 1, 3 and 4): after each period it is given the period's consumption, keeps it on
 * disk, and sends it as two masked halves under one-time keys until it has a receipt for each.
 *
 * It sets timers only for what it has been given to send, so a run in which no period ends has nothing left to do.
 */
export class Meter {
  readonly #options: MeterOptions;
  readonly #modules: MeterModules;
  readonly #place: Place;
  readonly #outbox: Outbox;
  readonly #time: Timekeeping;
  readonly #keys: MonthKeys;
  readonly #versions: Versions;
  readonly #log: MeterLog;
  readonly #sendings = new Map<string, Sending>();

  constructor(options: MeterOptions, modules: MeterModules) {
    const { clock, transport } = modules;
    this.#options = options;
    this.#modules = modules;
    this.#place = { consortium: options.consortium, region: options.region };
    this.#outbox = new Outbox(modules.store, options.name);
    this.#log = modules.log ?? ((): void => undefined);
    this.#versions = new Versions(
      { name: options.name, consortium: options.consortium, installed: options.params },
      { ...modules, memory: modules.memory, log: this.#log },
    );
    this.#time = new Timekeeping(
      {
        das: () => this.#params.da.map(daAddress),
        onAsk: () => {
          this.#askVersions();
        },
      },
      { clock, transport },
    );
    this.#keys = new MonthKeys(options.consortium, this.#outbox.key ?? options.key);
  }

  /** The meter's own time, Unix milliseconds. */
  get now(): number {
    return this.#time.now();
  }

  /** The newest version of the parameter set that the meter knows. */
  get #params(): Params {
    return this.#versions.newest;
  }

  /** The number of the newest version that the meter knows. */
  get version(): number {
    return this.#params.version;
  }

  /** Takes up what is due: stores the key, asks for the time, and sends what is recorded in windows that are open. */
  async start(): Promise<void> {
    if (this.#outbox.key === undefined) await this.#outbox.write([this.#outbox.keyChange(this.#keys.oldest)]);
    await this.#turnMonth();
    this.#time.ask();
    for (const period of this.#openPeriods()) await this.#begin(period);
  }

  /** Cancels all timers; answers that still come are ignored. */
  stop(): void {
    this.#time.stop();
    for (const sending of this.#sendings.values()) sending.stop();
    this.#sendings.clear();
  }

  /**
   * A period is over: takes its consumption in (signed Wh; undefined where the register could not be read: the period is missing),
   * durably before anything of it is sent. The same again changes nothing.
   * @throws VeilgridError `other-consumption` for another value: no period is ever masked twice with different values.
   */
  async record(period: Period, consumption: bigint | undefined): Promise<void> {
    await this.#outbox.write(this.changes(period, consumption));
    await this.send(period);
  }

  /** `record`'s writing alone, for several meters in one write; `send` must follow it. @throws as `record`. */
  changes(period: Period, consumption: bigint | undefined): MeterChange[] {
    const known = this.#outbox.consumption(period);
    if (consumption === undefined || known === consumption) return [];
    if (known === undefined) return [this.#outbox.consumptionChange(period, consumption)];
    throw new VeilgridError("other-consumption", "the period is recorded with another consumption", {
      facts: { month: monthName(period.month), k: period.k },
      blame: "caller",
    });
  }

  /** The period is over: the clock takes its step, and what is recorded for it is sent; without a record nothing is. */
  async send(period: Period): Promise<void> {
    // "It follows the median time …, asked once a day …, and moves at most 1 s a period."
    this.#time.step();
    if (this.#time.due) this.#time.askLater(this.#askDelay(period));
    await this.#turnMonth();
    await this.#begin(period);
  }

  /** The meter's own log: what it recorded for the period, Wh. */
  consumption(period: Period): bigint | undefined {
    return this.#outbox.consumption(period);
  }

  /** The receipt of a half, with the reading that it is for. */
  proof(period: Period, half: Half): Proof | undefined {
    return this.#outbox.proof(period, half);
  }

  /** What DAs refused of a period and signed. */
  refusals(period: Period): Promise<Refusal[]> {
    return this.#outbox.refusals(period);
  }

  /** Meters share the day's end, so each draws its own time to ask in the period that follows. */
  #askDelay({ month, k }: Period): number {
    const { name } = this.#options;
    return this.#modules.random.below(this.#params.periodSeconds * 1000, "meter", name, "ask", month, k);
  }

  /** With the time one DA is asked for newer versions, each time another: one that says nothing holds nobody up. */
  #askVersions(): void {
    const { da } = this.#params;
    const day = Math.floor(this.#modules.clock.now() / DAY_MS);
    const one = this.#modules.random.below(da.length, "meter", this.#options.name, "versions", day);
    void this.#versions.learn(daAddress(da[one] as Member), () => undefined);
  }

  async #begin(period: Period): Promise<void> {
    const slot = slotOf(period);
    const consumption = this.#outbox.consumption(period);
    if (consumption === undefined || this.#sendings.has(slot)) return;
    // Its key is gone, so its window was over once, whatever a clock that was set back says now.
    if (period.month < this.#keys.oldest.month) return;
    const sending = this.#sending(period, consumption);
    this.#sendings.set(slot, sending);
    await sending.start();
  }

  #sending(period: Period, consumption: bigint): Sending {
    const { name } = this.#options;
    const params = this.#params;
    const { transport, random, memory } = this.#modules;
    const patienceMs = this.#options.patienceMs ?? params.roundSeconds * 1000 + ANSWER_SLACK_MS;
    return new Sending(
      { name, place: this.#place, params, period, patienceMs },
      {
        time: this.#time,
        transport,
        random,
        outbox: this.#outbox,
        memory,
        versions: this.#versions,
        log: this.#log,
        makeReadings: () => makeReadings(this.#keys.leavesAt(period), this.#place, period, consumption),
        onEnd: () => this.#ended(period),
      },
    );
  }

  async #ended(period: Period): Promise<void> {
    this.#sendings.delete(slotOf(period));
    await this.#turnMonth();
  }

  /** The periods whose windows are open now, the earliest first. */
  #openPeriods(): Period[] {
    const params = this.#params;
    const now = this.#time.now();
    const open: Period[] = [];
    let period = addPeriods(periodAt(now, params.periodSeconds), -1, params.periodSeconds);
    while (window(period, params).closes > now) {
      open.unshift(period);
      period = addPeriods(period, -1, params.periodSeconds);
    }
    return open;
  }

  /**
   * "the meter deletes K_M after M's last window, so nothing taken from a meter opens an earlier month" (PROTOCOL section
   * 4, Key generation). What it logged of a month goes `closeMonths` later, when the ledger forgets that month too.
   */
  async #turnMonth(): Promise<void> {
    const { month } = this.#keys.oldest;
    const due = this.#monthDue(month);
    if (due === month) return;
    this.#keys.deleteBefore(due);
    const changes: MeterChange[] = [this.#outbox.keyChange(this.#keys.oldest)];
    for (let gone = month; gone < due; gone += 1) {
      changes.push(...(await this.#outbox.deletions(gone - this.#params.closeMonths)));
    }
    await this.#outbox.write(changes);
    this.#log("info", "month-key-deleted", { month: monthName(due - 1) });
  }

  /** The first month from `month` on whose last window is not over. */
  #monthDue(month: number): number {
    const params = this.#params;
    const lastOf = (of: number): Period => ({ month: of, k: periodsInMonth(of, params.periodSeconds) - 1 });
    let due = month;
    while (window(lastOf(due), params).closes <= this.#time.now()) due += 1;
    return due;
  }
}
