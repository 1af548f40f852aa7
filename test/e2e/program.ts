import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { REPOSITORY } from "../src/documents/repository.js";

const PROGRAMS = {
  veilgrid: join(REPOSITORY, "gateway", "bin", "veilgrid.js"),
  fabric: join(REPOSITORY, "network", "bin", "fabric.js"),
} as const;

/** A program in a process group of its own, and what it has said. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #stdout = "";
  #stderr = "";
  #heard = (): void => undefined;

  /** @param line its options as a person types them: no quotes, no blanks in values. */
  constructor(name: keyof typeof PROGRAMS, line: string, folder: string) {
    const child = spawn(process.execPath, [PROGRAMS[name], ...line.split(" ")], {
      cwd: folder,
      detached: true,
      env: { ...process.env, NODE_V8_COVERAGE: "", NO_COLOR: "1", FORCE_COLOR: undefined },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#heard();
    });
    this.#ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until its progress says something, or it ends. */
  async says(what: RegExp): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#heard = () => {
        if (what.test(this.#stderr)) resolve();
      };
      this.#heard();
    });
    await Promise.race([heard, this.#ended]);
    expect(this.#stderr).to.match(what);
  }

  /** `kill -9` of the program and of those that it started, but not of a network's detached processes. */
  async kill(): Promise<void> {
    process.kill(-(this.#child.pid as number), "SIGKILL");
    expect(await this.#ended).to.equal(null);
  }

  /** What it printed, when it has ended with this exit code. */
  async end(exit = 0): Promise<string> {
    const code = await this.#ended;
    expect(code, `${this.#stdout}\n${this.#stderr}`).to.equal(exit);
    return this.#stdout;
  }
}
