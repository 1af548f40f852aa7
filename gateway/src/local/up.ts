import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { paramsCodec, periodStart, VeilgridError, window, addPeriods, type Params } from "@veilgrid/protocol";
import type { PeerLedger } from "../ports/ledger.js";
import { silent, type Log } from "../ports/log.js";
import type { TimeScale } from "../process/clock.js";
import { FILE } from "./configurations.js";
import { ensureSetUp, openOwnLedger } from "./ledger.js";
import { readOverview, type Overview } from "./overview.js";
import { readPage } from "./pages.js";
import { fleetPlan, ledgerPlan, rolePlans, type ServicePlan } from "./services.js";
import { Supervisor, type ProcessEvent } from "./supervisor.js";
import { clockEnvironment, realTimeOf, timeIn } from "./timelapse.js";
import { LedgerWatch, type SeenBlock, type Standing } from "./watch.js";

/** How a consortium is run. */
export interface UpOptions {
  /** Its folder. */
  readonly folder: string;
  /** The program `veilgrid`. */
  readonly program: string;
  /** How many times as fast as the machine's its time goes. */
  readonly factor: number;
  /** Seconds of the machine from the services' start to the first period's beginning. */
  readonly lead: number;
}

export interface UpModules {
  readonly onProcess?: (event: ProcessEvent) => void;
  readonly onBlock?: (block: SeenBlock) => void;
  readonly log?: Log;
}

/** Milliseconds between two looks at something that is waited for. */
const LOOK = 200;
/** Milliseconds that services have to come up in. */
const PATIENCE = 120_000;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** A consortium whose processes run on this machine. */
export class LocalConsortium {
  readonly overview: Overview;
  readonly params: Params;
  readonly scale: TimeScale;
  readonly supervisor: Supervisor;
  readonly #options: UpOptions;
  readonly #modules: UpModules;
  #ledger: PeerLedger | undefined;
  #watch: LedgerWatch | undefined;
  #broken: string | undefined;

  private constructor(
    options: UpOptions,
    modules: UpModules,
    read: { overview: Overview; params: Params; start: number },
  ) {
    this.#options = options;
    this.#modules = modules;
    this.overview = read.overview;
    this.params = read.params;
    const { factor, lead } = options;
    this.scale = { origin: Date.now() + lead * 1000, start: read.start, factor };
    this.supervisor = new Supervisor({
      program: options.program,
      environment: clockEnvironment(this.scale),
      onEvent: (event) => {
        if (event.kind === "given-up") this.#broken = event.name;
        modules.onProcess?.(event);
      },
    });
  }

  /**
   * Starts every process but the meters', and waits until all of them answer.
   * @param from when the consortium's time is to go on, Unix milliseconds of it; its first period's beginning by default.
   * @throws VeilgridError `no-consortium`, `service-broken`, `services-silent`, and what opening the ledger throws.
   */
  static async start(options: UpOptions, modules: UpModules = {}, from?: number): Promise<LocalConsortium> {
    const overview = await readOverview(options.folder);
    const params = paramsCodec.decode(new Uint8Array(await readFile(join(options.folder, FILE.params))));
    const start = from ?? periodStart(overview.first, overview.periodSeconds);
    const consortium = new LocalConsortium(options, modules, { overview, params, start });
    try {
      await consortium.#begin();
      return consortium;
    } catch (error) {
      await consortium.stop();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    const { folder } = this.#options;
    const ledger = ledgerPlan(this.overview, folder);
    if (ledger !== undefined) {
      this.supervisor.start(ledger);
      await this.#answers([ledger]);
    }
    this.#ledger = await openOwnLedger(
      this.overview,
      folder,
      join(folder, "up", "ledger"),
      this.#modules.log ?? silent,
    );
    await ensureSetUp(this.#ledger);
    this.#watch = new LedgerWatch(
      this.#ledger,
      (region) => this.metersOf(region),
      (block) => this.#modules.onBlock?.(block),
    );
    const roles = rolePlans(this.overview, folder, this.scale.factor);
    for (const role of roles) this.supervisor.start(role);
    await this.#answers(roles);
  }

  /** Starts the meters. */
  async startMeters(): Promise<void> {
    const fleet = fleetPlan(this.overview, this.#options.folder, this.scale.factor, this.params.submissionWindow);
    this.supervisor.start(fleet);
    await this.#answers([fleet]);
  }

  /** How many meters a region has. */
  metersOf(region: number): number {
    const { meters, regions } = this.overview;
    return Math.floor(meters / regions) + (region <= meters % regions ? 1 : 0);
  }

  /** What time it is in the consortium, Unix milliseconds. */
  now(): number {
    return timeIn(this.scale);
  }

  /** The ledger, followed. */
  get ledger(): PeerLedger {
    if (this.#ledger === undefined) throw new Error("the consortium has not started");
    return this.#ledger;
  }

  /** What the ledger shows now. */
  look(): Promise<Standing> {
    if (this.#watch === undefined) throw new Error("the consortium has not started");
    return this.#watch.look();
  }

  /** Waits for the beginning of the first period. */
  untilSupply(): Promise<void> {
    return this.until(periodStart(this.overview.first, this.overview.periodSeconds));
  }

  /** Waits for a moment of the consortium's time. */
  async until(time: number): Promise<void> {
    for (
      let left = realTimeOf(this.scale, time) - Date.now();
      left > 0;
      left = realTimeOf(this.scale, time) - Date.now()
    ) {
      await pause(Math.min(left, LOOK));
    }
  }

  /** Looks again and again until something holds of what the ledger shows. @throws VeilgridError `service-broken`. */
  async wait(holds: (standing: Standing) => boolean | Promise<boolean>): Promise<Standing> {
    for (;;) {
      this.#requireWhole();
      const standing = await this.look();
      if (await holds(standing)) return standing;
      await pause(LOOK);
    }
  }

  /** Whether epochs cover everybody's supply. */
  isCovered({ regions }: Standing): boolean {
    return regions.length === this.overview.regions && regions.every(({ covered }) => covered > 0);
  }

  /** Whether the supply is over and every period that an epoch covers has its price. */
  isPriced(standing: Standing): boolean {
    const { periods } = this.overview;
    const isOver = periods !== null && this.now() > this.freezes(periods - 1);
    return isOver && this.isCovered(standing) && standing.regions.every(({ priced, covered }) => priced === covered);
  }

  /** Whether every customer has a bill. */
  isBilled({ bills }: Standing): boolean {
    return bills >= this.overview.meters;
  }

  /** When period number n, from 0, of the supply freezes. */
  freezes(n: number): number {
    const { first, periodSeconds } = this.overview;
    return window(addPeriods(first, n, periodSeconds), this.params).freezes;
  }

  /** Stops the meters. */
  stopMeters(): Promise<void> {
    return this.supervisor.stop(["meters"]);
  }

  /** Stops the organisations' services. */
  stopRoles(): Promise<void> {
    const names = this.overview.das.map((_, i) => `da${i}`);
    return this.supervisor.stop([...names, "cc", "kgcbp"]);
  }

  /** Stops every process, meters first and the ledger last. */
  async stop(): Promise<void> {
    await this.stopMeters();
    await this.stopRoles();
    await this.#ledger?.close();
    this.#ledger = undefined;
    await this.supervisor.stop(["ledger"]);
  }

  #requireWhole(): void {
    if (this.#broken === undefined) return;
    const name = this.#broken;
    throw new VeilgridError("service-broken", `${name} ends again and again: see ${name}/log.jsonl`, {
      facts: { name },
      blame: "operator",
    });
  }

  async #answers(plans: readonly ServicePlan[]): Promise<void> {
    const { host } = this.overview.places;
    const until = Date.now() + PATIENCE;
    for (const { name, http } of plans) {
      while ((await readPage(host, http, "/health")) === undefined) {
        this.#requireWhole();
        if (Date.now() > until) {
          throw new VeilgridError("services-silent", `${name} does not come up: see ${name}/log.jsonl`, {
            facts: { name },
            blame: "operator",
            retry: true,
          });
        }
        await pause(LOOK);
      }
    }
  }
}
