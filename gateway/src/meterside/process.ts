import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Facts } from "@veilgrid/protocol";
import { clockOf, type SystemClock } from "../process/clock.js";
import { HttpEndpoint, type Health } from "../process/http.js";
import { openLog, type ProcessLog } from "../process/log.js";
import { ProcessMetrics } from "../process/metrics.js";
import type { Store } from "../ports/store.js";
import { GroupedStore } from "../store/grouped.js";
import { LevelStore, openDatabase, type Database } from "../store/level.js";
import type { MetersideConfiguration } from "./configuration.js";

const STDOUT = 1;

export interface ProcessOptions {
  /** In every log line. */
  readonly base: Facts & { readonly role: string };
  /** The log's file descriptor; standard output if not given. */
  readonly destination?: number;
}

/** What meters run on: clock, log, numbers, and a store that is synced at every write. */
export class MeterProcess {
  readonly clock: SystemClock;
  readonly store: Store;
  readonly metrics: ProcessMetrics;
  readonly log: ProcessLog;
  /** Rejects with what the process cannot go on after, such as a full disk; never resolves. */
  readonly failed: Promise<never>;
  readonly #database: Database;
  #fail: (error: unknown) => void = () => undefined;
  #http: HttpEndpoint | undefined;

  private constructor(
    { clock, log: { level } }: MetersideConfiguration,
    { base, destination = STDOUT }: ProcessOptions,
    database: Database,
  ) {
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    // Whoever waits for it hears of it; until then it is no defect of nobody's.
    this.failed.catch(() => undefined);
    this.log = openLog({ level, base, destination });
    this.metrics = new ProcessMetrics({ role: base.role });
    this.clock = clockOf(clock, { onFailure: this.onFailure });
    this.#database = database;
    this.store = new GroupedStore(new LevelStore(database, "meters"));
  }

  /** @throws VeilgridError `store-in-use`, `store-unreadable`. */
  static async open(configuration: MetersideConfiguration, options: ProcessOptions): Promise<MeterProcess> {
    await mkdir(configuration.data, { recursive: true });
    return new MeterProcess(configuration, options, await openDatabase(join(configuration.data, "store")));
  }

  /** Told of what an action of the clock, or on an answer, threw: an operator must act, so the process ends. */
  readonly onFailure = (label: string, error: unknown): void => {
    this.log.failure("error", "action-failed", error, { label });
    this.#fail(error);
  };

  /** Shows /health and /metrics, if the configuration says where. */
  async show({ http }: MetersideConfiguration, health: () => Health): Promise<void> {
    if (http === undefined) return;
    const { metrics } = this;
    this.#http = await HttpEndpoint.listen(http.listen, {
      metrics: { contentType: metrics.contentType, text: metrics.text },
      health,
    });
    this.log.log("info", "listening", { port: this.#http.port });
  }

  /** The port of /health and /metrics, if they are shown. */
  get httpPort(): number | undefined {
    return this.#http?.port;
  }

  async close(): Promise<void> {
    await this.clock.stop();
    await this.#http?.close();
    await this.#database.close();
    await this.log.close();
  }
}
