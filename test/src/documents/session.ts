import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Ended } from "./clone.js";

/** One bash that runs a document's commands in turn, so that what one sets the next ones have. */
export class ShellSession {
  readonly #shell: ChildProcessWithoutNullStreams;
  readonly #mark = randomUUID();
  #printed = "";
  #heard = (): void => undefined;
  #ended = (): void => undefined;

  /**
   * @param folder where it runs.
   * @param lines for bash, before the first command.
   */
  constructor(folder: string, lines = "") {
    this.#shell = spawn("bash", [], { cwd: folder, env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined } });
    this.#shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#printed += text;
      this.#heard();
    });
    this.#shell.once("close", () => {
      this.#ended();
    });
    this.#shell.stdin.write(`exec 2>&1\n${lines}\n`);
  }

  /** Runs one command line. @throws Error when the shell ends. */
  run(command: string): Promise<Ended> {
    this.#printed = "";
    // Commands must not read what is meant for the shell.
    this.#shell.stdin.write(`{ ${command}\n} < /dev/null\necho "${this.#mark} $?"\n`);
    return new Promise((resolve, reject) => {
      this.#ended = () => {
        reject(new Error(`the shell ended at ${command}:\n${this.#printed}`));
      };
      this.#heard = () => {
        const [printed, exit] = this.#printed.split(`${this.#mark} `);
        if (exit?.endsWith("\n") === true) resolve({ exit: Number(exit), printed: printed as string });
      };
    });
  }

  /** Ends the shell. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#ended = resolve;
      this.#shell.stdin.end();
    });
  }
}
