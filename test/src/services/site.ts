import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  LevelStore,
  MeterTransport,
  RemoteLedger,
  ScaledClock,
  SeededRandom,
  openDatabase,
  silent,
  type Database,
} from "@veilgrid/gateway";
import { Fleet, Meter } from "@veilgrid/meter-client";
import {
  LedgerView,
  VerifiedSignatures,
  addPeriods,
  consortiumId,
  daAddress,
  fromHex,
  monthOf,
  paramsCodec,
  periodEnd,
  periodStart,
  schnorr,
  toHex,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import { veilgrid } from "../world/demo-process.js";
import { scratchFolder } from "../world/scratch.js";
import { makeNewcomer, type Newcomer } from "./newcomer.js";
import { ServiceProcess } from "./process.js";

/** What a site is made with. */
export interface SiteOptions {
  readonly meters: number;
  readonly periods: number;
  /** How many times as fast as the machine's its time goes at most. */
  readonly factor: number;
}

/** Time begins so long before the first period, whose epoch has to be on the ledger by then. */
const AHEAD_MS = 50 * 60_000;
/** Until then so many processes may start one after the other: services that come up, are killed and come up again, and commands. */
const STARTS = 16;

interface Overview {
  readonly first: Period;
  readonly periodSeconds: number;
  readonly places: {
    readonly das: readonly { readonly meters: number; readonly http: number }[];
    readonly cc: { readonly http: number };
    readonly kgcbp: { readonly meters: number; readonly http: number };
    readonly ledger: { readonly listen: number; readonly http: number };
  };
}

interface GivenMeter {
  readonly name: string;
  readonly region: number;
  readonly month: string;
  readonly key: string;
}

/**
 * A consortium of real processes on this machine in a time-lapse, as `veilgrid consortium init` makes it: four aggregators,
 * control center, KGCBP and the service of an embedded ledger. The meters are in the test's process.
 */
export class Site {
  readonly clock: ScaledClock;
  readonly params: Params;
  /** What puts a process on the site's time. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #overview: Overview;
  readonly #periods: number;
  readonly #factor: number;
  readonly #services: ServiceProcess[];
  readonly #closing: (() => Promise<void> | void)[] = [];
  #meters: readonly Meter[] = [];

  private constructor(folder: string, periods: number, factor: number) {
    this.#folder = folder;
    this.#periods = periods;
    this.#factor = factor;
    this.#overview = JSON.parse(readFileSync(join(folder, "consortium.json"), "utf8")) as Overview;
    const { first, periodSeconds, places } = this.#overview;
    const scale = { origin: Date.now(), start: periodStart(first, periodSeconds) - AHEAD_MS, factor };
    const env = {
      VEILGRID_CLOCK_ORIGIN: new Date(scale.origin).toISOString(),
      VEILGRID_CLOCK_START: new Date(scale.start).toISOString(),
      VEILGRID_CLOCK_FACTOR: String(factor),
    };
    this.env = env;
    this.clock = new ScaledClock(scale, {
      onFailure: (label, error) => {
        throw new Error(`a meter failed at ${label}`, { cause: error });
      },
    });
    this.params = paramsCodec.decode(new Uint8Array(readFileSync(join(folder, "params.bin"))));
    this.#services = [
      this.#service("ledger", places.ledger.http),
      ...places.das.map(({ http }, i) => this.#service(`da${i}`, http)),
      this.#service("cc", places.cc.http),
      this.#service("kgcbp", places.kgcbp.http),
    ];
  }

  #service(name: string, http: number): ServiceProcess {
    const role = name.replace(/\d+$/, "");
    const args = [role, "serve", "--config", this.file(name, `${role}.yaml`)];
    const more = role === "da" ? { VEILGRID_LIMITS_METERS_CALLS_PER_SECOND: "1000" } : {};
    return new ServiceProcess({ name, args, http, log: this.file(name, "log.jsonl"), env: { ...this.env, ...more } });
  }

  get services(): readonly ServiceProcess[] {
    return this.#services;
  }

  /**
   * One more aggregator: its folder is made, everybody's configuration names it, all services are started anew, one after the
   * other, and it is started beside them. It takes part when a version of the parameter set says so.
   */
  async join(): Promise<Newcomer> {
    const newcomer = await makeNewcomer(this.#folder, this.#overview.places.das.length);
    for (const service of this.#services) {
      await service.stop();
      service.start();
      await service.well();
    }
    const service = this.#service(newcomer.name, newcomer.http);
    this.#services.push(service);
    service.start();
    await service.well();
    return newcomer;
  }

  static async make(options: SiteOptions): Promise<Site> {
    const folder = join(scratchFolder("site"), "consortium");
    const { meters, periods, factor } = options;
    const asked = ["--meters", String(meters), "--periods", String(periods), "--period-seconds", "900"];
    const made = await veilgrid(["consortium", "init", ...asked, "--min-meters", "5", "--out", folder]);
    if (made.code !== 0) throw new Error(made.stderr);
    // As fast as the machine is now: others may use it, too.
    return new Site(folder, periods, Math.min(factor, AHEAD_MS / 1_000 / (STARTS * made.seconds)));
  }

  /** The ports where its services listen. */
  get places(): Overview["places"] {
    return this.#overview.places;
  }

  /**
   * Runs a command of a party's operator ("da0", "cc", "kgcbp"), with --json, and gives what it prints: a result, or an error.
   * @throws Error for what is neither.
   */
  async operate<T>(party: string, ...args: string[]): Promise<T> {
    const config = this.file(party, `${party.replace(/\d+$/, "")}.yaml`);
    const ended = await veilgrid([...args, "--config", config, "--json"]);
    const text = ended.code === 0 ? ended.stdout : ended.stderr;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new Error(`${args.join(" ")}: ${text}`, { cause });
    }
  }

  /** Gives an aggregator one more signing key, before the site is started; the public key. */
  giveKey(party: string): Uint8Array {
    const secret = new Uint8Array(randomBytes(32));
    writeFileSync(this.file(party, "next"), `${toHex(secret)}\n`, { mode: 0o600 });
    appendFileSync(this.file(party, "da.yaml"), "otherSecretFiles: [next]\n");
    return schnorr.publicKey(secret);
  }

  /** The site's periods, in their order. */
  get periods(): readonly Period[] {
    const { first, periodSeconds } = this.#overview;
    return Array.from({ length: this.#periods }, (_, n) => addPeriods(first, n, periodSeconds));
  }

  /** Starts all services, the meters, and what they record: `consumption` in Wh of a meter in the nth period. */
  async start(consumption: (meter: number, n: number) => bigint): Promise<void> {
    for (const service of this.services) service.start();
    await this.#startMeters(consumption);
    await Promise.all(this.services.map((service) => service.well()));
  }

  async #startMeters(consumption: (meter: number, n: number) => bigint): Promise<void> {
    const database: Database = await openDatabase(join(this.#folder, "meters", "data"));
    this.#closing.push(() => database.close());
    const store = new LevelStore(database, "meters");
    const { places, periodSeconds } = this.#overview;
    const endpoints = new Map(
      this.params.da.map((da, i) => {
        const authority = readFileSync(join(this.#folder, "meters", "authorities", `da-${da.msp}.pem`), "utf8");
        return [daAddress(da), { target: `127.0.0.1:${places.das[i]?.meters ?? 0}`, authority }] as const;
      }),
    );
    const transport = new MeterTransport(
      { endpoints: () => endpoints, deadlines: { reading: 3_000 } },
      { log: silent },
    );
    this.#closing.push(() => {
      transport.close();
    });
    const given = JSON.parse(readFileSync(join(this.#folder, "meters", "meters.json"), "utf8")) as GivenMeter[];
    const consortium = consortiumId(paramsCodec.encode(this.params));
    const modules = {
      clock: this.clock,
      store,
      transport,
      random: SeededRandom.of("site"),
      memory: new VerifiedSignatures(10_000),
    };
    this.#meters = given.map(
      ({ name, region, month, key }) =>
        new Meter(
          { name, consortium, region, params: this.params, key: { month: monthOf(month), key: fromHex(key) } },
          modules,
        ),
    );
    const fleet = new Fleet(this.#meters, store, { atOnce: true });
    await fleet.start();
    this.#closing.push(async () => {
      fleet.stop();
      await this.clock.stop();
    });
    this.periods.forEach((period, n) => {
      this.clock.at(periodEnd(period, periodSeconds), "period ends", () =>
        fleet.record(
          period,
          this.#meters.map((_, meter) => consumption(meter, n)),
        ),
      );
    });
  }

  /** Milliseconds of the machine that a span of the site's time takes. */
  realMs(milliseconds: number): number {
    return Math.round(milliseconds / this.#factor);
  }

  /** What meters have a receipt for, of a period: the readings, 113 bytes each. */
  receipted(period: Period): Uint8Array[] {
    return this.#meters.flatMap((meter) => [0, 1].flatMap((half) => meter.proof(period, half as 0 | 1)?.reading ?? []));
  }

  /** The ledger as another process of an organisation sees it. */
  async openLedger(): Promise<{ readonly view: LedgerView; readonly close: () => Promise<void> }> {
    const own = join(this.#folder, "cc");
    const text = (...path: string[]): string => readFileSync(join(own, ...path), "utf8");
    const path = scratchFolder("follower");
    const ledger = await RemoteLedger.open({
      endpoint: {
        target: `127.0.0.1:${this.#overview.places.ledger.listen}`,
        authority: text("authorities", "ledger.pem"),
      },
      identities: [{ msp: this.params.cc.msp, certificate: text("tls", "own.pem"), key: text("tls", "own.key") }],
      path: join(path, "ledger"),
    });
    return { view: new LedgerView(ledger.state), close: () => ledger.close() };
  }

  /** The customers' BIDs, 16 bytes each. */
  bids(): Uint8Array[] {
    const folder = join(this.#folder, "customers");
    return readdirSync(folder).map((file) => {
      const [, bid] = /# bid: ([0-9a-f]{32})/.exec(readFileSync(join(folder, file), "utf8")) ?? [];
      return fromHex(bid as string);
    });
  }

  /** All that KGCBP's stores have, in the order of keys, when it does not run. */
  async kgcbpEntries(): Promise<string[]> {
    const database = await openDatabase(this.file("kgcbp", "data", "roles"));
    try {
      const stores = await Promise.all(["keys", "kgcbp"].map((name) => new LevelStore(database, name).range("")));
      return stores.flat().map(({ key, value }) => `${key} ${toHex(value)}`);
    } finally {
      await database.close();
    }
  }

  /** The folder of a party's files. */
  file(...path: string[]): string {
    return join(this.#folder, ...path);
  }

  /** Stops the meters, then every service; gives the exit codes by name. */
  async stop(): Promise<Record<string, number | NodeJS.Signals>> {
    for (const close of this.#closing.splice(0).reverse()) await close();
    const codes: Record<string, number | NodeJS.Signals> = {};
    await Promise.all(
      this.services.map(async (service) => {
        codes[service.name] = await service.stop();
      }),
    );
    return codes;
  }
}
