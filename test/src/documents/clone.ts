import { spawn } from "node:child_process";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { scratchFolder } from "../world/scratch.js";
import { REPOSITORY } from "./repository.js";

/** What a command printed, on both channels as a terminal shows them, and how it ended. */
export interface Ended {
  readonly exit: number;
  readonly printed: string;
}

/** What a reader of a document has after `npm ci && npm run build`. */
const PARTS = ["data", "docs", "gateway", "node_modules", "package.json", "protocol", "README.md"];

/** `npx` without the second that npm takes to start; one test runs the real one. */
const NPX = `#!/bin/sh
command=$1
shift
exec "${join(REPOSITORY, "node_modules", ".bin")}/$command" "$@"
`;

/** A folder that looks like a clone, in which a document's commands leave what they write. */
export class Clone {
  readonly #path = scratchFolder("clone");
  readonly #bin = scratchFolder("bin");

  constructor() {
    for (const part of PARTS) symlinkSync(join(REPOSITORY, part), join(this.#path, part));
    const npx = join(this.#bin, "npx");
    writeFileSync(npx, NPX);
    chmodSync(npx, 0o755);
  }

  /** Makes a file that a document shows. */
  write(name: string, lines: readonly string[]): void {
    writeFileSync(join(this.#path, name), `${lines.join("\n")}\n`);
  }

  /** Runs one command line of a shell in the folder. */
  run(command: string): Promise<Ended> {
    const shell = spawn("bash", ["-c", `( ${command} ) 2>&1`], {
      cwd: this.#path,
      env: {
        ...process.env,
        PATH: `${this.#bin}${delimiter}${process.env.PATH ?? ""}`,
        NO_COLOR: "1",
        FORCE_COLOR: undefined,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    return new Promise((resolve, reject) => {
      shell.on("error", reject);
      shell.on("close", (code) => {
        resolve({ exit: code ?? 1, printed });
      });
    });
  }
}
