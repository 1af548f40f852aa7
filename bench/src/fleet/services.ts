import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { usageOf, type Usage } from "./usage.js";

const BIN = join(dirname(createRequire(import.meta.url).resolve("@veilgrid/gateway")), "../../bin/veilgrid.js");
const READY_MS = 120_000;

/** Milliseconds of the machine. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A process of the command `veilgrid`. */
export class Service {
  readonly name: string;
  readonly #http: number | undefined;
  readonly #child: ChildProcess;
  #out = "";

  /** @param options.http the port of its /health; @param options.log where its lines go. */
  constructor(
    name: string,
    args: readonly string[],
    options: { readonly env: Readonly<Record<string, string>>; readonly log: string; readonly http?: number },
  ) {
    this.name = name;
    this.#http = options.http;
    this.#child = spawn(process.execPath, [BIN, ...args], {
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log = createWriteStream(options.log);
    this.#child.stderr?.pipe(log);
    if (options.http === undefined) this.#child.stdout?.on("data", (text: Buffer) => (this.#out += text.toString()));
    else this.#child.stdout?.pipe(log);
  }

  /** @throws Error where it does not answer, or has ended. */
  async ready(): Promise<void> {
    const end = Date.now() + READY_MS;
    while (Date.now() < end && this.#child.exitCode === null) {
      try {
        await fetch(`http://127.0.0.1:${this.#http ?? 0}/health`);
        return;
      } catch {
        await pause(100);
      }
    }
    throw new Error(`${this.name} does not serve`);
  }

  get usage(): Usage | undefined {
    return usageOf(this.#child.pid ?? 0);
  }

  /** What it printed, when it has ended. */
  async printed(): Promise<string> {
    if (this.#child.exitCode === null) await once(this.#child, "close");
    return this.#out;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 20_000);
    await closed;
    clearTimeout(late);
  }
}

/** Runs a command to its end. @throws Error where it fails. */
export async function run(args: readonly string[]): Promise<string> {
  const service = new Service(args.join(" "), args, { env: {}, log: "/dev/null" });
  return service.printed();
}
