import { join } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";
import { readJson, writeWhole } from "../store/files.js";
import { adaptedFactor, estimatedFactor } from "./calibration.js";
import { readOverview, type Overview } from "./overview.js";
import { reckon, type Reckoning } from "./reckoning.js";
import { LocalConsortium, type UpModules } from "./up.js";
import type { SeenBlock, Standing } from "./watch.js";

/** How a consortium is run from its beginning to its bills. */
export interface RunningOptions {
  readonly folder: string;
  readonly program: string;
  /** How many times as fast as the machine's the consortium's time goes; "auto": as fast as the machine keeps up. */
  readonly factor: number | "auto";
}

/** What a run tells while it goes on. */
export interface RunningModules extends UpModules {
  /** A step of the whole has begun. */
  readonly onStep?: (step: Step) => void;
  /** What the ledger shows, several times a second. */
  readonly onLook?: (standing: Standing, consortium: LocalConsortium) => void;
  /** The consortium runs; it is another one after a change of the factor. */
  readonly onRunning?: (consortium: LocalConsortium) => void;
}

export type Step =
  | { readonly kind: "starting"; readonly factor: number; readonly isResumed: boolean }
  | { readonly kind: "covered" }
  | { readonly kind: "metering" }
  | { readonly kind: "adapting"; readonly from: number; readonly to: number }
  | { readonly kind: "priced" }
  | { readonly kind: "billed" }
  | { readonly kind: "reckoning" };

/** What a run came to. */
export interface RunningReport extends Reckoning {
  readonly overview: Overview;
  readonly factor: number;
  /** Seconds of the machine from the first process's start to the last bill. */
  readonly seconds: number;
  /** Leaders' terms. */
  readonly terms: bigint;
  /** How often each process was started again. */
  readonly restarts: Readonly<Record<string, number>>;
}

const MARK = "time.json";
/** Seconds from the services' start to the first period's beginning: processes, elections, epochs with their lists. */
const LEAD = 15;
const LEAD_PER_METER = 0.02;
const LEAD_ON_FABRIC = 15;
/** Periods after which a factor is looked at again. */
const TRIAL = 2;
/** Milliseconds between two notes of how far the consortium's time has come. */
const NOTE = 1000;

function leadOf({ meters, ledger }: Overview): number {
  return LEAD + meters * LEAD_PER_METER + (ledger === "fabric" ? LEAD_ON_FABRIC : 0);
}

async function markedTime(folder: string): Promise<number | undefined> {
  const kept = (await readJson(join(folder, "up", MARK))) as { readonly time?: unknown } | undefined;
  if (kept === undefined) return undefined;
  if (typeof kept.time === "number") return kept.time;
  throw new VeilgridError("damaged-folder", `${MARK} is not what was written`, {
    facts: { folder },
    blame: "operator",
  });
}

/** One run of a consortium, through its processes, up to the reckoning. It is taken up where an earlier one was ended. */
export class Running {
  readonly #options: RunningOptions;
  readonly #modules: RunningModules;
  readonly #blocks: SeenBlock[] = [];
  readonly #restarts = new Map<string, number>();
  #consortium: LocalConsortium | undefined;
  #noted = 0;

  constructor(options: RunningOptions, modules: RunningModules = {}) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Runs to the end. @throws VeilgridError as starting the consortium does, and what reckoning throws. */
  async run(): Promise<RunningReport> {
    const begun = Date.now();
    const overview = await readOverview(this.#options.folder);
    try {
      const factor = await this.#live(overview);
      const seconds = (Date.now() - begun) / 1000;
      const consortium = this.#consortium as LocalConsortium;
      this.#step({ kind: "reckoning" });
      await consortium.stopMeters();
      await consortium.stopRoles();
      const { term } = await consortium.look();
      const reckoning = await reckon(this.#options.folder, overview, consortium.ledger);
      return { ...reckoning, overview, factor, seconds, terms: term, restarts: Object.fromEntries(this.#restarts) };
    } finally {
      await this.stop();
    }
  }

  /** Stops every process. */
  async stop(): Promise<void> {
    await this.#consortium?.stop();
  }

  #step(step: Step): void {
    this.#modules.onStep?.(step);
  }

  /** From the services' start to the last bill. Returns the factor that it went by. */
  async #live(overview: Overview): Promise<number> {
    const marked = await markedTime(this.#options.folder);
    let factor = this.#options.factor === "auto" ? estimatedFactor(overview) : this.#options.factor;
    await this.#begin(overview, factor, marked);
    if (this.#options.factor === "auto" && marked === undefined) {
      const better = await this.#tried(overview, factor);
      if (better !== factor) {
        this.#step({ kind: "adapting", from: factor, to: better });
        const consortium = this.#consortium as LocalConsortium;
        const time = consortium.now();
        await consortium.stop();
        factor = better;
        await this.#begin(overview, factor, time);
      }
    }
    const consortium = this.#consortium as LocalConsortium;
    await this.#wait((standing) => consortium.isPriced(standing));
    this.#step({ kind: "priced" });
    await consortium.stopMeters();
    await this.#wait((standing) => consortium.isBilled(standing));
    this.#step({ kind: "billed" });
    return factor;
  }

  async #begin(overview: Overview, factor: number, from: number | undefined): Promise<void> {
    const { folder, program } = this.#options;
    this.#step({ kind: "starting", factor, isResumed: from !== undefined });
    const lead = from === undefined ? leadOf(overview) : LEAD;
    const { onRunning, onProcess, onBlock } = this.#modules;
    const consortium = await LocalConsortium.start(
      { folder, program, factor, lead },
      {
        ...this.#modules,
        onProcess: (event) => {
          if (event.kind === "started" && event.restarts > 0) this.#restarts.set(event.name, event.restarts);
          onProcess?.(event);
        },
        onBlock: (block) => {
          // After a change of the factor the ledger is watched from its beginning.
          if (this.#blocks.some(({ region, k }) => region === block.region && k === block.k)) return;
          this.#blocks.push(block);
          onBlock?.(block);
        },
      },
      from,
    );
    this.#consortium = consortium;
    onRunning?.(consortium);
    await this.#wait((standing) => consortium.isCovered(standing));
    this.#step({ kind: "covered" });
    await consortium.untilSupply();
    await consortium.startMeters();
    this.#step({ kind: "metering" });
  }

  /** A factor that fits what the first periods took. */
  async #tried(overview: Overview, factor: number): Promise<number> {
    const consortium = this.#consortium as LocalConsortium;
    const periods = Math.min(TRIAL, (overview.periods ?? TRIAL) - 1);
    if (periods < 1) return factor;
    await this.#wait(
      ({ regions }) =>
        regions.every(({ committed }) => committed >= periods) || consortium.now() > consortium.freezes(periods),
    );
    const latency = Math.max(0, ...this.#blocks.map((block) => block.latency));
    const missing = this.#blocks.filter(({ readings, region }) => readings < 2 * consortium.metersOf(region)).length;
    return adaptedFactor(factor, { latency, missing }, consortium.params);
  }

  async #wait(holds: (standing: Standing) => boolean): Promise<void> {
    const consortium = this.#consortium as LocalConsortium;
    await consortium.wait(async (standing) => {
      this.#modules.onLook?.(standing, consortium);
      await this.#note(consortium);
      return holds(standing);
    });
  }

  /** Notes how far the consortium's time has come, so that a later run goes on from there. */
  async #note(consortium: LocalConsortium): Promise<void> {
    if (Date.now() - this.#noted < NOTE) return;
    this.#noted = Date.now();
    const time = Math.round(consortium.now());
    await writeWhole(join(this.#options.folder, "up", MARK), `${JSON.stringify({ time })}\n`);
  }
}
