import {
  addPeriods,
  comparePeriods,
  daAddress,
  headerCodec,
  KIND,
  LedgerView,
  monthAt,
  periodEnd,
  periodStart,
  quorum,
  VeilgridError,
  VerifiedSignatures,
  window,
  type Header,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { Fleet } from "@veilgrid/meter-client";
import type { ControlCenter } from "../cc/cc.js";
import type { Aggregator } from "../da/aggregator.js";
import type { LoggedPeriod } from "../input/meter-log.js";
import type { PricePolicy } from "../input/policy.js";
import type { ReadingsTable } from "../input/table.js";
import type { ChangeResult, MeterStanding } from "../kgcbp/change-desk.js";
import type { ChangePreview } from "../kgcbp/change-request.js";
import type { Kgcbp } from "../kgcbp/kgcbp.js";
import type { Safe } from "../kgcbp/safe.js";
import type { MeterChange } from "../ports/keystore.js";
import type { PeerLedger } from "../ports/ledger.js";
import { silent, type Log } from "../ports/log.js";
import { SimNetwork } from "../sim/network.js";
import { Scheduler } from "../sim/scheduler.js";
import { writeWhole } from "../store/files.js";
import { LevelStore, openDatabase } from "../store/level.js";
import { daMsp, runParams } from "./consortium.js";
import type { DataFolder } from "./folder.js";
import { Follower, type Listener } from "./follower.js";
import { Outages } from "./outages.js";
import { openRunLedger, type RunLedger } from "./ledger.js";
import { faultsOf, monthsOf, type RunRecord } from "./plan.js";
import { newAggregator, newControlCenter, newFleet, openKgcbp, openSafe, type Ground } from "./roles.js";
import { RunMeters, suppliedIn, type Device, type MeterWish, type RunCustomer } from "./run-meters.js";
import { Seats } from "./seats.js";
import { newcomer, type RunKeys } from "./secrets.js";
import { setUp } from "./setup.js";

/** The run begins this long before its first period, so that the first epoch has its usual time ahead. */
const AHEAD_MS = 12.5 * 3_600_000;
const MARK = "clock";

/** What a world is opened with. */
export interface WorldOptions {
  readonly record: RunRecord;
  readonly keys: RunKeys;
  readonly readings: ReadingsTable;
  readonly policy: PricePolicy;
  /** How many verified signatures the roles of this process remember together; 0 for none. */
  readonly remembered: number;
  /** The connection profile of a run on Fabric, where it is another than the folder's. */
  readonly profile?: string;
  readonly log?: Log;
}

/** Why `advance` came back. */
export type Stop =
  | { readonly reason: "goal" }
  /** Fewer than Q aggregators run, none comes back by itself, and what is due waits for them. */
  | { readonly reason: "quorum-lost"; readonly up: number; readonly needed: number; readonly time: number }
  /** The ledger takes nothing more, and virtual time does not go on without it. */
  | { readonly reason: "ledger-failed"; readonly error: VeilgridError; readonly time: number };

/** How far a period's readings have come. */
export interface Delivery {
  readonly halves: number;
  readonly receipted: number;
}

/** Hears of each committed block. */
export type OnBlock = (header: Header) => Promise<void> | void;

/**
 * All roles of a consortium in one process, on one virtual clock. Everything that must survive is in the roles' own
 * stores and on the ledger; the world itself keeps only a mark of how far its clock has come. Opened again, it goes on.
 */
export class World {
  readonly clock: Scheduler;
  readonly view: LedgerView;
  readonly ledger: PeerLedger;
  readonly kgcbp: Kgcbp;
  /** What connects the roles: tests watch it, lose packets on it and speak on it as a stranger would. */
  readonly network: SimNetwork;
  readonly #ground: Ground;
  readonly #runLedger: RunLedger;
  readonly #params: Params;
  readonly #readings: ReadingsTable;
  readonly #store: LevelStore;
  readonly #marks: LevelStore;
  readonly #aggregators: (Aggregator | undefined)[];
  readonly #retired = new Set<number>();
  /** The version in force, as far as the ledger was followed. */
  #current: Params;
  #endorsing: readonly string[] = [];
  readonly #cc: ControlCenter;
  readonly #meters: RunMeters;
  readonly #devices: readonly Device[];
  readonly #fleet: Fleet;
  readonly #outages: Outages;
  readonly #follower: Follower;

  private constructor(
    ground: Ground,
    parts: { ledger: RunLedger; kgcbp: Kgcbp; clock: Scheduler; readings: ReadingsTable; devices: readonly Device[] },
    height: bigint,
  ) {
    const { record, keys, seats, database } = ground;
    const { ledger } = parts.ledger;
    this.#ground = ground;
    this.#params = runParams(record, keys);
    this.#current = this.#params;
    this.#readings = parts.readings;
    this.clock = parts.clock;
    this.ledger = ledger;
    this.#runLedger = parts.ledger;
    this.kgcbp = parts.kgcbp;
    this.network = ground.network;
    this.view = new LedgerView(ledger.state);
    this.#store = new LevelStore(database, "world");
    // What a machine that stops takes of it is lived through again.
    this.#marks = new LevelStore(database, "world", { sync: false });
    this.#aggregators = Array.from({ length: seats.count }, () => undefined);
    this.#cc = newControlCenter(ground, ledger);
    this.#meters = new RunMeters(record, keys, this.#store);
    this.#devices = parts.devices;
    this.#fleet = newFleet(ground, parts.devices);
    const { first, periodSeconds } = record.input;
    this.#outages = new Outages({ faults: faultsOf(record), first, periodSeconds }, { store: this.#store });
    const listeners: Listener[] = [
      ...this.#aggregators.map((_, i) => ({ name: `da/${i}`, current: () => this.#aggregators[i] })),
      { name: "kgcbp", current: () => this.kgcbp },
      { name: "cc", current: () => this.#cc },
    ];
    this.#follower = new Follower({ ledger, clock: parts.clock, listeners }, height);
  }

  /**
   * Opens a run's world, set up and with every meter enrolled, where an earlier process left it.
   * @throws VeilgridError `store-in-use` while another process has the folder.
   */
  static async open(folder: DataFolder, options: WorldOptions): Promise<World> {
    const { record, keys, policy, readings } = options;
    const database = await openDatabase(folder.roles);
    const first = periodStart(record.input.first, record.input.periodSeconds);
    const mark = new LevelStore(database, "world").get(MARK);
    const begins =
      mark === undefined ? first - AHEAD_MS : Number(new DataView(mark.buffer, mark.byteOffset).getBigUint64(0));
    const memory = new VerifiedSignatures(options.remembered);
    const seats = new Seats(keys, new LevelStore(database, "world"));
    const base = { record, keys, seats, folder, database, memory, policy, log: options.log ?? silent };
    const early = { now: (): number => begins, at: (): never => neverYet() };
    const ledger = await openRunLedger({ ...base, clock: early, profile: options.profile });
    let safe: Safe | undefined;
    try {
      await setUp(base, ledger.ledger);
      await ledger.settle();
      const clock = new Scheduler(await latest(new LedgerView(ledger.ledger.state), begins));
      const network = new SimNetwork({ latency: { minMs: 2, maxMs: 40 } }, { clock, random: keys.random });
      safe = await openSafe(base);
      const ground: Ground = { ...base, safe, clock, network };
      const kgcbp = await openKgcbp(ground, ledger.ledger);
      const known = new RunMeters(record, keys, new LevelStore(database, "world"));
      const devices = await known.devices(kgcbp.meters.list());
      const world = new World(ground, { ledger, kgcbp, clock, readings, devices }, await ledger.ledger.height());
      await world.#start(begins);
      return world;
    } catch (error) {
      await safe?.close();
      // What follows peers would keep the process alive.
      await ledger.ledger.close();
      await database.close();
      throw error;
    }
  }

  async #start(begins: number): Promise<void> {
    const { network } = this.#ground;
    network.listen("kgcbp", this.kgcbp.handle);
    network.listen("cc", this.#cc.handle);
    await this.#define();
    await this.#outages.start(this.clock, this.view, (da, up) => this.#switch(da, up));
    const down = this.#outages.downAt(this.clock.now());
    for (const da of this.#aggregators.keys()) await this.#switch(da, !down.has(da));
    await this.kgcbp.start();
    await this.#cc.start();
    await this.#fleet.start();
    for (const { meter, changes } of this.kgcbp.meters.list()) {
      for (const change of changes) await this.#deliver(meter, change);
    }
    this.#schedulePeriod(this.#firstPeriodFrom(begins));
  }

  /** The first period whose end is not before `time`: what ended before it is in the meters' outboxes. */
  #firstPeriodFrom(time: number): number {
    const { first, periodSeconds, periods } = this.#ground.record.input;
    const past = Math.ceil((time - periodEnd(first, periodSeconds)) / (periodSeconds * 1000));
    return Math.min(Math.max(past, 0), periods);
  }

  /** The nth period's end: the meters read their registers. Then the mark when the period freezes, and the next one. */
  #schedulePeriod(n: number): void {
    const { first, periodSeconds, periods } = this.#ground.record.input;
    if (n >= periods) return;
    const period = addPeriods(first, n, periodSeconds);
    const { opens, freezes } = window(period, this.#params);
    this.clock.at(opens, "period ends", async () => {
      await this.#mark();
      await this.#fleet.record(period, this.#consumptions(n));
      this.#schedulePeriod(n + 1);
    });
    this.clock.at(freezes, "period freezes", () => this.#mark());
  }

  #consumptions(n: number): (bigint | undefined)[] {
    const { first, periodSeconds } = this.#ground.record.input;
    const period = addPeriods(first, n, periodSeconds);
    return this.#devices.map((device) => {
      const wh = isThere(device, period) ? this.#readings.consumption(device.household, n) : undefined;
      return wh === undefined ? undefined : BigInt(wh);
    });
  }

  /** From when a change of a meter would hold; nothing changes. @throws VeilgridError see `decide`; `unknown-region`. */
  async previewChange(wish: MeterWish): Promise<ChangePreview> {
    return this.kgcbp.meters.preview(await this.#meters.request(wish));
  }

  /**
   * Changes a meter at the run's present time. A device that is new is there when the world is opened again.
   * @throws VeilgridError see `decide`; `unknown-region`, `unknown-meter`.
   */
  async changeMeter(wish: MeterWish): Promise<ChangeResult> {
    const request = await this.#meters.request(wish);
    await this.kgcbp.meters.require(request);
    await this.#meters.keepNames(wish, request);
    const result = await this.kgcbp.meters.change(request);
    await this.#deliver(wish.meter, result.change);
    if ("customer" in wish) await this.#keepIdentity(wish);
    await this.#mark();
    return result;
  }

  /** Hands a delivery of keys to the device that it is for, unless it has that or a newer one. */
  async #deliver(meter: string, change: MeterChange): Promise<void> {
    const device = this.#devices.findIndex(
      (one) => one.meter === meter && one.key.recipient === change.delivery?.device,
    );
    const told = this.#fleet.meters[device];
    if (told === undefined || change.serial <= told.newestDelivery) return;
    await told.accept(await this.kgcbp.meters.delivery(change));
  }

  /** A newcomer's identity, so that any age tool opens the bill. */
  async #keepIdentity({ meter, customer }: { readonly meter: string; readonly customer: string }): Promise<void> {
    const { folder, keys } = this.#ground;
    const { key } = await newcomer(keys.random, meter, customer);
    const text = `# public key: ${key.recipient}\n${key.identity}\n`;
    await writeWhole(folder.identity(`${meter} ${customer}`), text, 0o600);
  }

  /** The run's meters with their supplies and changes, those of the input first. */
  meters(): MeterStanding[] {
    return this.#meters.ordered(this.kgcbp.meters.list());
  }

  /** Everybody who is, was or will be a customer of the run. */
  customers(): Promise<RunCustomer[]> {
    return this.#meters.customers(this.kgcbp.meters.list());
  }

  async #mark(): Promise<void> {
    const value = new Uint8Array(8);
    new DataView(value.buffer).setBigUint64(0, BigInt(this.clock.now()));
    await this.#marks.write([{ key: MARK, value }]);
  }

  /** Starts an aggregator's process, or kills it: nothing but its store survives. */
  async #switch(da: number, wanted: boolean): Promise<void> {
    const { network } = this.#ground;
    const msp = daMsp(da);
    // Whose organisation has left the network has retired; whose has not joined it yet is no member.
    const up = wanted && (this.serves(msp) || Seats.of(this.#current).includes(da));
    const address = daAddress({ msp });
    this.#aggregators[da]?.stop();
    this.#aggregators[da] = undefined;
    network.setUp(address, up);
    if (this.#endorsing.includes(msp)) this.#runLedger.follow(msp, up);
    this.#ground.log("info", up ? "da-up" : "da-down", { da });
    if (!up) {
      network.close(address);
      return;
    }
    const aggregator = newAggregator(this.#ground, this.ledger, da, () => {
      this.#retired.add(da);
      network.setUp(address, false);
    });
    this.#aggregators[da] = aggregator;
    network.listen(address, aggregator.handle);
    await aggregator.start();
  }

  /** Whose endorsement counts now, by the version in force and who is to join. */
  async #define(): Promise<void> {
    const current = await this.view.currentParams();
    const ever = new Set<string>();
    for (let version = 1; version <= current.version; version += 1) {
      for (const { msp } of (await this.view.params(version)).da) ever.add(msp);
    }
    this.#current = current;
    this.#endorsing = this.#ground.seats.endorsing(current, ever);
    this.#runLedger.define(this.#endorsing);
  }

  /** Runs until `goal` holds, asked after each change of the ledger and at each period's end. */
  async advance(goal: () => Promise<boolean>, onBlock: OnBlock = () => undefined): Promise<Stop> {
    let changed = true;
    for (;;) {
      if (changed && (await goal())) return { reason: "goal" };
      const lost = this.#lostQuorum();
      if (lost !== undefined) {
        await this.#mark();
        await this.#outages.end(this.clock.now());
        return lost;
      }
      const before = this.clock.now();
      if (!(await this.clock.step())) throw stalled(this.clock.now());
      const error = this.#runLedger.failure();
      if (error !== undefined) return { reason: "ledger-failed", error, time: this.clock.now() };
      changed = (await this.#hear(onBlock)) || this.clock.now() - before > 1000;
    }
  }

  async #hear(onBlock: OnBlock): Promise<boolean> {
    const events = await this.#follower.look();
    for (const { name, payload } of events) {
      if (name !== "block") continue;
      const header = headerCodec.decode(payload);
      if (header.kind === KIND.params) await this.#define();
      await onBlock(header);
    }
    return events.length > 0;
  }

  /** With nothing due but a lost quorum: no window is open, and nobody brings an aggregator back. */
  #lostQuorum(): Stop | undefined {
    const members = Seats.of(this.#current);
    const needed = quorum(members.length);
    const up = members.filter((seat) => this.#aggregators[seat] !== undefined && !this.#retired.has(seat)).length;
    const time = this.clock.now();
    if (up >= needed || this.#outages.returnsAfter(time) || this.#isWindowOpen(time)) return undefined;
    return { reason: "quorum-lost", up, needed, time };
  }

  #isWindowOpen(time: number): boolean {
    const { first, periodSeconds, periods } = this.#ground.record.input;
    const sinceEnd = (time - periodEnd(first, periodSeconds)) % (periodSeconds * 1000);
    const { submissionWindow, forwardSeconds } = this.#params;
    const last = addPeriods(first, periods - 1, periodSeconds);
    if (time < periodEnd(first, periodSeconds) || time > window(last, this.#params).freezes) return false;
    return sinceEnd <= (submissionWindow + forwardSeconds) * 1000;
  }

  /** The billing months of the run. */
  months(): number[] {
    return monthsOf(this.#ground.record);
  }

  /** The index of the first period of the run whose window is not over; the number of periods if all are. */
  get nextWindow(): number {
    const { first, periodSeconds, periods } = this.#ground.record.input;
    const past = Math.floor((this.clock.now() - window(first, this.#params).freezes) / (periodSeconds * 1000)) + 1;
    return Math.min(Math.max(past, 0), periods);
  }

  /** What the meters sent of the nth period: halves to be sent, and those with a receipt of Q aggregators. */
  delivery(n: number): Delivery {
    const { first, periodSeconds } = this.#ground.record.input;
    const period = addPeriods(first, n, periodSeconds);
    const read = this.#fleet.meters.filter((meter) => meter.consumption(period) !== undefined);
    const proofs = read.flatMap((meter) => [meter.proof(period, 0), meter.proof(period, 1)]);
    return { halves: proofs.length, receipted: proofs.filter((proof) => proof !== undefined).length };
  }

  /**
   * What a meter of the run logged of a period, by the operator's name; undefined for an unknown meter, and of a month
   * that it has forgotten.
   */
  async meterLog(name: string, period: Period): Promise<LoggedPeriod | undefined> {
    const device = this.#devices.findIndex((one) => one.meter === name && isThere(one, period));
    const meter = this.#fleet.meters[device];
    if (meter === undefined || period.month < meter.logsFrom) return undefined;
    const proofs = [meter.proof(period, 0), meter.proof(period, 1)] as const;
    return { consumption: meter.consumption(period), proofs, refusals: await meter.refusals(period) };
  }

  /** Whether an organisation endorses and may submit: on Fabric, whether the network has it. */
  serves(msp: string): boolean {
    return this.#runLedger.serves(msp);
  }

  /** The version in force. */
  get params(): Params {
    return this.#current;
  }

  /** KGCBP's backup. */
  get backup(): Safe["backup"] {
    return this.#ground.safe.backup;
  }

  /** The run's aggregators and the keys that were made for its parties. */
  get seats(): Seats {
    return this.#ground.seats;
  }

  /**
   * The word of an aggregator's operator for the next version, as the leaf of its block.
   * @throws VeilgridError `no-aggregator` where none runs on the seat; what the aggregator refuses it with.
   */
  async approveParams(seat: number, leaf: Uint8Array): Promise<void> {
    const aggregator = this.#aggregators[seat];
    if (aggregator === undefined || this.#retired.has(seat)) {
      throw new VeilgridError("no-aggregator", `no aggregator runs as da/${seat}`, {
        facts: { seat },
        blame: "caller",
      });
    }
    await aggregator.approveParams(leaf);
  }

  /** By seat, whether the aggregator runs and which leaf its operator approved that is not committed yet. */
  approvals(): { readonly seat: number; readonly runs: boolean; readonly leaf: Uint8Array | undefined }[] {
    return this.#aggregators.map((aggregator, seat) => {
      const runs = aggregator !== undefined && !this.#retired.has(seat);
      return { seat, runs, leaf: runs ? aggregator.approvedParams : undefined };
    });
  }

  /** Whether every customer has the bill of a month; who counted in none of its epochs gets none. */
  async billed(month: number): Promise<boolean> {
    if (this.kgcbp.isBilled(month)) return true;
    for (const bid of suppliedIn(this.kgcbp.meters.list(), month)) {
      if ((await this.view.bill(bid, month)) === undefined) return false;
    }
    return true;
  }

  async close(): Promise<void> {
    for (const aggregator of this.#aggregators) aggregator?.stop();
    this.kgcbp.stop();
    this.#cc.stop();
    this.#fleet.stop();
    await this.#ground.safe.close();
    await this.ledger.close();
    await this.#ground.database.close();
  }
}

/** Whether a device is its meter at a period. */
function isThere({ from, to }: Device, period: Period): boolean {
  if (from !== undefined && comparePeriods(period, from) < 0) return false;
  return to === undefined || comparePeriods(period, to) < 0;
}

function neverYet(): never {
  throw new VeilgridError("stalled", "the ledger's clock is only read", { blame: "nobody" });
}

function stalled(time: number): VeilgridError {
  return new VeilgridError("stalled", "nothing is left to do, and the goal is not reached", {
    facts: { time: new Date(time).toISOString(), month: monthAt(time) },
    blame: "nobody",
  });
}

/** A resumed run's clock is never behind what the ledger already says. */
async function latest(view: LedgerView, mark: number): Promise<number> {
  let time = BigInt(Math.round(mark));
  for (const region of [0, ...(await view.regions())]) {
    const { ts } = await view.head(region);
    if (ts > time) time = ts;
  }
  return Number(time);
}
