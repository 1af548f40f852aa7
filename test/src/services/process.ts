import { spawn, type ChildProcess } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { VEILGRID } from "../world/demo-process.js";

/** How often a service's page is asked for while it starts, in milliseconds. */
const LOOK_MS = 100;
/** A busy machine takes its time; nothing is lost by waiting. */
const LONGEST_MS = 180_000;

/** How to start a service, and where it shows its health. */
export interface ServiceCommand {
  readonly name: string;
  readonly args: readonly string[];
  readonly http: number;
  /** File that all its lives log to. */
  readonly log: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A service as a real process, started again as often as it is killed. */
export class ServiceProcess {
  readonly name: string;
  readonly #command: ServiceCommand;
  #child: ChildProcess | undefined;
  #ended: Promise<number | NodeJS.Signals> = Promise.resolve(0);

  constructor(command: ServiceCommand) {
    this.name = command.name;
    this.#command = command;
  }

  /** Its process id; undefined before it was started. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { args, log, env } = this.#command;
    const file = openSync(log, "a");
    const child = spawn(process.execPath, [VEILGRID, ...args], {
      stdio: ["ignore", file, file],
      env: { ...process.env, FORCE_COLOR: undefined, NODE_NO_WARNINGS: "1", ...env },
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.on("exit", (code, signal) => {
        resolve(signal ?? code ?? -1);
      });
    });
  }

  /** Resolves when it says that it is well. @throws Error where it ends before, or takes too long. */
  async well(): Promise<void> {
    for (const begun = Date.now(); Date.now() - begun < LONGEST_MS;) {
      if (this.#child?.exitCode !== null) throw new Error(`${this.name} ended:\n${this.logged.slice(-2_000)}`);
      if ((await this.page("health"))?.status === 200) return;
      await pause(LOOK_MS);
    }
    throw new Error(`${this.name} is not well:\n${this.logged.slice(-2_000)}`);
  }

  /** A page of its HTTP port; undefined where nobody answers. */
  async page(name: "health" | "metrics"): Promise<{ readonly status: number; readonly text: string } | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#command.http}/${name}`, {
        signal: AbortSignal.timeout(5_000),
      });
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** Kills it (-9). */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** Has it stop; gives its exit code. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.#child?.kill("SIGTERM");
    return this.#ended;
  }

  /** All that it ever printed. */
  get logged(): string {
    return readFileSync(this.#command.log, "utf8");
  }
}
