import {
  VeilgridError,
  addPeriods,
  comparePeriods,
  daAddress,
  equalBytes,
  monthAt,
  monthName,
  periodAt,
  periodsInMonth,
  sha256,
  window,
  type Delivery,
  type Member,
  type Params,
  type Period,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { openDelivery } from "./enrolment.js";
import { makeReadings, type Half } from "./halves.js";
import { KeyChains, schedule, type OpenChain, type StoredChain } from "./keychains.js";
import type { MonthKey } from "./monthkeys.js";
import { Outbox, type KeptKeys, type Proof, type Refusal } from "./outbox.js";
import type {
  MeterChange,
  MeterClock,
  MeterLog,
  MeterOpener,
  MeterRandom,
  MeterStore,
  MeterTransport,
} from "./ports.js";
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
  /**
   * The key of the month in which the meter begins in its region; later it goes on with what is in its store. Without
   * one it says nothing before its first delivery.
   */
  readonly key?: MonthKey;
  /** What deliveries of keys are addressed to; without it the meter takes none. */
  readonly enrolled?: {
    /** Its name at KGCBP. */
    readonly meter: string;
    /** The age recipient of the device, "age1…". */
    readonly device: string;
  };
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
  /** Opens deliveries with the device's own age identity. */
  readonly open?: MeterOpener;
}

/** Before the first delivery. */
const NO_DELIVERY = { serial: 0, digest: new Uint8Array(32) };

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
  readonly #outbox: Outbox;
  readonly #time: Timekeeping;
  readonly #chains: KeyChains;
  readonly #versions: Versions;
  readonly #log: MeterLog;
  readonly #sendings = new Map<string, { readonly period: Period; readonly sending: Sending }>();
  /** The first month whose last window was not over when the meter looked last. */
  #month: number;
  #delivered: Pick<KeptKeys, "serial" | "digest">;
  /** The last write of the keys: they are one entry, and each write of it is made from what the one before left. */
  #keysWritten: Promise<unknown> = Promise.resolve();

  constructor(options: MeterOptions, modules: MeterModules) {
    const { clock, transport } = modules;
    this.#options = options;
    this.#modules = modules;
    this.#outbox = new Outbox(modules.store, options.name);
    const kept = this.#outbox.keys ?? this.#installed();
    this.#chains = new KeyChains(options.consortium, kept.chains);
    this.#month = kept.month;
    this.#delivered = kept;
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
  }

  /** What the meter has from its installation. */
  #installed(): KeptKeys {
    const { region, key } = this.#options;
    if (key === undefined) return { ...NO_DELIVERY, month: monthAt(this.#modules.clock.now()), chains: [] };
    const chain: StoredChain = { region, first: { month: key.month, k: 0 }, oldest: key };
    return { ...NO_DELIVERY, month: key.month, chains: [chain] };
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

  /** Takes up what is due: stores the keys, asks for the time, and sends what is recorded in windows that are open. */
  async start(): Promise<void> {
    if (this.#outbox.keys === undefined) await this.#outbox.write([this.#keysChange()]);
    await this.#turnMonth();
    this.#time.ask();
    for (const period of this.#openPeriods()) await this.#begin(period);
  }

  /** Cancels all timers; answers that still come are ignored. */
  stop(): void {
    this.#time.stop();
    for (const { sending } of this.#sendings.values()) sending.stop();
    this.#sendings.clear();
  }

  /** The serial number of the newest delivery that the meter took; 0 before the first. */
  get newestDelivery(): number {
    return this.#delivered.serial;
  }

  #keysChange(): MeterChange {
    return this.#outbox.keysChange({ ...this.#delivered, month: this.#month, chains: this.#chains.stored });
  }

  /**
   * Takes a delivery of keys (PROTOCOL section 7): on disk before one of them is used. The newest one again changes
   * nothing.
   * @param ciphertext Delivery ‖ sig, encrypted to the device.
   * @returns whether it was new.
   * @throws VeilgridError `no-device` without an age identity; `cannot-decrypt`, `malformed`, `wrong-consortium`,
   * `wrong-params`, `wrong-meter`, `bad-signature`; `stale-delivery` for one that is not newer than the newest.
   */
  accept(ciphertext: Uint8Array): Promise<boolean> {
    return this.#withKeys(() => this.#accept(ciphertext));
  }

  async #accept(ciphertext: Uint8Array): Promise<boolean> {
    const { enrolled, consortium } = this.#options;
    const { open } = this.#modules;
    const params = this.#params;
    if (enrolled === undefined || open === undefined) {
      throw new VeilgridError("no-device", "the meter has no age identity that keys could be encrypted to", {
        blame: "operator",
      });
    }
    const { body, bytes } = openDelivery(await open(ciphertext), { ...enrolled, consortium, params });
    const digest = sha256(bytes);
    if (body.serial === this.#delivered.serial && equalBytes(digest, this.#delivered.digest)) return false;
    this.#requireNewer(body);
    await this.#take(body, digest);
    return true;
  }

  /** "only with a serial above that of the last one it took": nothing older brings a replaced key back. */
  #requireNewer({ serial }: Delivery): void {
    if (serial > this.#delivered.serial) return;
    throw new VeilgridError("stale-delivery", "the meter has taken a newer delivery of keys", {
      facts: { serial, newest: this.#delivered.serial },
      blame: "peer",
    });
  }

  async #take(delivery: Delivery, digest: Uint8Array): Promise<void> {
    const chains = schedule(this.#chains.stored, delivery);
    const delivered = { serial: delivery.serial, digest };
    await this.#outbox.write([this.#outbox.keysChange({ ...delivered, month: this.#month, chains })]);
    this.#delivered = delivered;
    this.#stopBefore(delivery);
    this.#chains.replace(chains);
    const { serial, keep } = delivery;
    this.#log("info", "keys-delivered", { serial, keep, chains: delivery.chains.length });
    await this.#turn();
    for (const period of this.#openPeriods()) await this.#begin(period);
  }

  /** What is on its way under keys that do not hold any more. */
  #stopBefore({ keep, chains }: Delivery): void {
    const first = chains[0]?.first;
    for (const [slot, { period, sending }] of this.#sendings) {
      if (keep && first !== undefined && comparePeriods(period, first) < 0) continue;
      sending.stop();
      this.#sendings.delete(slot);
    }
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

  /** The first month that its log goes back to, 12*year + (month-1). */
  get logsFrom(): number {
    return this.#month - this.#params.closeMonths;
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
    // Without a chain it is before the meter's first, or its key is gone: then its window was over once, whatever a clock
    // that was set back says now.
    const chain = this.#chains.at(period);
    if (chain === undefined) return;
    const sending = this.#sending(period, consumption, chain);
    this.#sendings.set(slot, { period, sending });
    await sending.start();
  }

  #sending(period: Period, consumption: bigint, { region, keys }: OpenChain): Sending {
    const { name, consortium } = this.#options;
    const params = this.#params;
    const place = { consortium, region };
    const { transport, random, memory } = this.#modules;
    const patienceMs = this.#options.patienceMs ?? params.roundSeconds * 1000 + ANSWER_SLACK_MS;
    return new Sending(
      { name, place, params, period, patienceMs },
      {
        time: this.#time,
        transport,
        random,
        outbox: this.#outbox,
        memory,
        versions: this.#versions,
        log: this.#log,
        makeReadings: () => makeReadings(keys.leavesAt(period), place, period, consumption),
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
  #turnMonth(): Promise<void> {
    return this.#withKeys(() => this.#turn());
  }

  async #turn(): Promise<void> {
    const before = this.#month;
    const due = this.#monthDue(before);
    const params = this.#params;
    const forgotten = this.#chains.forget(due, this.#time.now(), params);
    if (due === before && !forgotten) return;
    this.#month = due;
    const changes: MeterChange[] = [this.#keysChange()];
    for (let gone = before; gone < due; gone += 1) {
      changes.push(...(await this.#outbox.deletions(gone - params.closeMonths)));
    }
    await this.#outbox.write(changes);
    this.#log("info", "keys-deleted", { before: monthName(due), chains: this.#chains.stored.length });
  }

  #withKeys<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#keysWritten.then(task);
    // Whose task failed hears of it; the next one is another matter.
    this.#keysWritten = done.catch(() => undefined);
    return done;
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
