import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RemoteLedger, lastPeriodsOf, makeConsortium, type Overview } from "@veilgrid/gateway";
import { LedgerView, periodEnd, periodStart, toHex, type Period } from "@veilgrid/protocol";
import { until } from "../services/living.js";
import { ServiceProcess } from "../services/process.js";
import { scratchFolder } from "../world/scratch.js";
import type { Head } from "./messages.js";
import { Papers } from "./papers.js";

/** Each half of a meter is one reading of the one period. */
const METERS = 600;
const PERIOD_SECONDS = 900;
/** The epoch has so long to reach the ledger before its period begins. */
const AHEAD_MS = 120_000;
/** Time goes on so long after the period, when meters send. */
const OPENED_MS = 2_000;

/**
 * A consortium of real processes with the limits that ship, in real time, in the one submission window of its one period:
 * every reading is good once. Clocks are set to where something happens, which services see as having been down.
 */
export class Siege {
  readonly papers: Papers;
  readonly period: Period;
  #services: readonly ServiceProcess[] = [];
  #head: Head | undefined;
  readonly #overview: Overview;

  private constructor(folder: string, overview: Overview) {
    this.papers = new Papers(folder, overview);
    this.period = overview.first;
    this.#overview = overview;
  }

  /** Makes the consortium, has the period's epoch committed, and opens its window. */
  static async begin(): Promise<Siege> {
    const folder = join(scratchFolder("siege"), "consortium");
    const overview = await makeConsortium(
      {
        ...{ das: 4, regions: 1, meters: METERS, periodSeconds: PERIOD_SECONDS, periods: 1 },
        ...{ price: "flat:250000", timezone: "UTC", host: "127.0.0.1", basePort: 0, params: {} },
        first: lastPeriodsOf("2026-03", 1, PERIOD_SECONDS),
        ledger: { kind: "embedded" },
      },
      folder,
    );
    for (const name of overview.das.keys()) unraise(join(folder, `da${name}`, "da.yaml"));
    const siege = new Siege(folder, overview);
    try {
      await siege.#start(periodStart(overview.first, PERIOD_SECONDS) - AHEAD_MS);
      siege.#head = await siege.#enrolled();
      await siege.stop();
      await siege.#start(periodEnd(overview.first, PERIOD_SECONDS) + OPENED_MS);
    } catch (error) {
      await siege.stop();
      throw error;
    }
    return siege;
  }

  /** The aggregator that is attacked, KGCBP, CC and the ledger's service. */
  get attacked(): readonly ServiceProcess[] {
    return this.#services.filter(({ name }) => ["da0", "kgcbp", "cc", "ledger"].includes(name));
  }

  async #start(time: number): Promise<void> {
    const { folder } = this.papers;
    const { places } = this.#overview;
    const env = {
      VEILGRID_CLOCK_ORIGIN: new Date().toISOString(),
      VEILGRID_CLOCK_START: new Date(time).toISOString(),
      VEILGRID_CLOCK_FACTOR: "1",
    };
    const service = (name: string, http: number): ServiceProcess => {
      const kind = name.replace(/\d/g, "");
      const args = [kind, "serve", "--config", join(folder, name, `${kind}.yaml`)];
      return new ServiceProcess({ name, args, http, log: join(folder, name, "log.jsonl"), env });
    };
    this.#services = [
      service("ledger", places.ledger.http),
      ...places.das.map(({ http }, i) => service(`da${i}`, http)),
      service("cc", places.cc.http),
      service("kgcbp", places.kgcbp.http),
    ];
    for (const one of this.#services) one.start();
    await Promise.all(this.#services.map((one) => one.well()));
  }

  /** Where the region's chain stands: its epoch is committed. */
  get head(): Head {
    if (this.#head === undefined) throw new Error("it has not begun");
    return this.#head;
  }

  /** Waits for the epoch's block. */
  async #enrolled(): Promise<Head> {
    const ledger = await RemoteLedger.open({
      endpoint: {
        target: `127.0.0.1:${this.#overview.places.ledger.listen}`,
        authority: this.papers.authority("ledger"),
        serverName: "localhost",
      },
      identities: [{ msp: this.papers.params.cc.msp, ...this.papers.identity("cc") }],
      path: join(scratchFolder("follower"), "ledger"),
    });
    try {
      const view = new LedgerView(ledger.state);
      await until(
        async () => (await view.epochAt(1, this.period)) !== undefined,
        AHEAD_MS,
        () => "the epoch is not on the ledger",
      );
      const { number, cbh } = await view.head(1);
      const { term } = await view.term();
      return { number: number.toString(), cbh: toHex(cbh), term: term.toString() };
    } finally {
      await ledger.close();
    }
  }

  /** Log lines of the attacked that say that something failed. */
  failures(): string[] {
    return this.attacked.flatMap(({ name, logged }) =>
      logged
        .split("\n")
        .filter((line) => line !== "" && !isHarmless(line))
        .map((line) => `${name}: ${line}`),
    );
  }

  /** Stops every process; gives the exit codes that are not 0. */
  async stop(): Promise<string[]> {
    const codes = await Promise.all(this.#services.map(async (one) => [one.name, await one.stop()] as const));
    return codes.filter(([, code]) => code !== 0).map(String);
  }
}

/** A line of the log below "error"; what is not a line of the log was printed by somebody who failed. */
function isHarmless(line: string): boolean {
  return /^\{"level":"(?:debug|info|warn)"/.test(line) && !/"event":"(?:request|response)-failed"/.test(line);
}

/** Takes the limits out that a consortium on one machine is made with: all its meters have one address there. */
function unraise(file: string): void {
  const text = readFileSync(file, "utf8");
  const shipped = text.replace(/^limits:\n(?: .*\n)*/m, "");
  if (shipped === text) throw new Error(`${file} has no limits`);
  writeFileSync(file, shipped);
}
