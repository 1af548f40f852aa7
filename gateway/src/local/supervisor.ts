import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("child.js", import.meta.url));

/** A process that is to run. */
export interface ProcessPlan {
  readonly name: string;
  /** Of the program. */
  readonly args: readonly string[];
  /** File that its output is appended to. */
  readonly log: string;
  /** Variables for it alone. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it is started again when it ends by itself with exit code 0, too. */
  readonly isEndless: boolean;
}

/** What happens to a process. */
export type ProcessEvent =
  | { readonly kind: "started"; readonly name: string; readonly pid: number; readonly restarts: number }
  | { readonly kind: "ended"; readonly name: string; readonly code: number | null; readonly signal: string | null }
  /** It was told to stop. */
  | { readonly kind: "stopped"; readonly name: string }
  /** It ended so often that it is not started again. */
  | { readonly kind: "given-up"; readonly name: string; readonly log: string };

export interface SupervisorOptions {
  /** The program that every process runs. */
  readonly program: string;
  /** Variables on top of this process's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onEvent: (event: ProcessEvent) => void;
  /** Milliseconds before a process is started again, the first time: doubled each time. */
  readonly pause?: number;
}

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5000;
/** A process that ran so many milliseconds had begun well. */
const SETTLED = 10_000;
/** Ends in a row, each soon after the start, after which it is hopeless. */
const MOST_ENDS = 6;
/** Milliseconds between the word to stop and the end without one. */
const GRACE = 20_000;

/** One process, through all its starts. */
class Watched {
  readonly plan: ProcessPlan;
  child: ChildProcess | undefined;
  restarts = -1;
  /** Ends in a row soon after a start. */
  ends = 0;
  isWanted = true;
  timer: NodeJS.Timeout | undefined;

  constructor(plan: ProcessPlan) {
    this.plan = plan;
  }
}

/**
 * Starts processes, starts again those that end, and stops them. Each holds a pipe of this process as its standard input,
 * and ends when that does (child.ts): none is left behind, whatever becomes of this one.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Starts a process, and again whenever it ends. */
  start(plan: ProcessPlan): void {
    const watched = new Watched(plan);
    this.#watched.set(plan.name, watched);
    this.#spawn(watched);
  }

  /** Numbers of the processes that run now, by name. */
  get pids(): ReadonlyMap<string, number> {
    const running = [...this.#watched.values()].filter(({ child }) => child?.pid !== undefined);
    return new Map(running.map(({ plan, child }) => [plan.name, child?.pid as number]));
  }

  /** How often a process was started again. */
  restartsOf(name: string): number {
    return Math.max(0, this.#watched.get(name)?.restarts ?? 0);
  }

  /** Sends a signal to a process that runs. Returns whether it does. */
  signal(name: string, signal: NodeJS.Signals): boolean {
    return this.#watched.get(name)?.child?.kill(signal) ?? false;
  }

  /** Stops processes, all of these at once, and resolves when they have ended; those that do not are killed. */
  async stop(names: readonly string[] = [...this.#watched.keys()]): Promise<void> {
    await Promise.all(names.map((name) => this.#stop(name)));
  }

  async #stop(name: string): Promise<void> {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    watched.isWanted = false;
    clearTimeout(watched.timer);
    const { child } = watched;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    // Who was stopped with SIGSTOP hears of nothing else first.
    child.kill("SIGCONT");
    const timer = setTimeout(() => child.kill("SIGKILL"), GRACE);
    await ended;
    clearTimeout(timer);
  }

  #spawn(watched: Watched): void {
    const { plan } = watched;
    const { program, environment, onEvent } = this.#options;
    mkdirSync(dirname(plan.log), { recursive: true });
    const log = openSync(plan.log, "a", 0o600);
    const begun = Date.now();
    const child = spawn(process.execPath, [CHILD, program, ...plan.args], {
      // Ctrl-C in a terminal reaches every process of its group: these are stopped in their order instead.
      detached: true,
      env: { ...process.env, ...environment, ...plan.environment },
      stdio: ["pipe", log, log],
    });
    closeSync(log);
    watched.child = child;
    watched.restarts += 1;
    child.once("spawn", () => {
      onEvent({ kind: "started", name: plan.name, pid: child.pid as number, restarts: watched.restarts });
    });
    child.once("error", () => {
      this.#ended(watched, begun, null, null);
    });
    child.once("exit", (code, signal) => {
      this.#ended(watched, begun, code, signal);
    });
  }

  #ended(watched: Watched, begun: number, code: number | null, signal: NodeJS.Signals | null): void {
    const { plan } = watched;
    const { onEvent, pause: first = FIRST_PAUSE } = this.#options;
    watched.child = undefined;
    if (!watched.isWanted) {
      onEvent({ kind: "stopped", name: plan.name });
      return;
    }
    onEvent({ kind: "ended", name: plan.name, code, signal });
    if (code === 0 && !plan.isEndless) return;
    watched.ends = Date.now() - begun < SETTLED && signal === null ? watched.ends + 1 : 0;
    if (watched.ends >= MOST_ENDS) {
      onEvent({ kind: "given-up", name: plan.name, log: plan.log });
      return;
    }
    const pause = Math.min(LONGEST_PAUSE, first * 2 ** watched.ends);
    watched.timer = setTimeout(() => {
      this.#spawn(watched);
    }, pause);
  }
}
