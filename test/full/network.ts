import { isVeilgridError } from "@veilgrid/protocol";
import { findBinaries, requireLinux } from "@veilgrid/network";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../src/documents/repository.js";
import { node, veilgrid } from "../src/world/demo-process.js";
import { scratchFolder } from "../src/world/scratch.js";
import { seconds, type Report } from "./report.js";

const FABRIC = join(REPOSITORY, "network", "bin", "fabric.js");

/** Why this platform can have no network, if it cannot. */
function unfit(): string | undefined {
  try {
    requireLinux();
    return undefined;
  } catch (error) {
    if (isVeilgridError(error, "unsupported-platform")) return error.message;
    throw error;
  }
}

/** A network for one run, driven by its command. */
export class Network {
  readonly #report: Report;
  readonly #basePort: number;
  readonly #state = join(scratchFolder("network"), "state");

  private constructor(report: Report, basePort: number) {
    this.#report = report;
    this.#basePort = basePort;
    // Its processes would outlive this one; and its folder goes last.
    process.prependOnceListener("exit", () => {
      if (existsSync(this.#state)) spawnSync(process.execPath, [FABRIC, "--state", this.#state, "reset"]);
    });
  }

  /** A network that is still to be started; undefined, and the report says why, where there can be none. */
  static async for(report: Report, basePort: number): Promise<Network | undefined> {
    const why = unfit();
    if (why !== undefined) {
      report.leaveOut(why);
      return undefined;
    }
    const { version } = await findBinaries(undefined, (text) => {
      report.progress(text);
    });
    report.note("Fabric", version);
    return new Network(report, basePort);
  }

  get profile(): string {
    return join(this.#state, "profile.json");
  }

  async #does(what: string, ...args: readonly string[]): Promise<boolean> {
    const ended = await node([FABRIC, "--state", this.#state, ...args]);
    const isDone = ended.code === 0;
    this.#report.check(what, isDone, isDone ? seconds(ended.seconds) : ended.stderr.slice(-600));
    return isDone;
  }

  async start(params: string): Promise<boolean> {
    return (await this.up()) && (await this.deploy(params));
  }

  async up(): Promise<boolean> {
    return this.#does("a network comes up", "up", "--base-port", String(this.#basePort));
  }

  async deploy(params: string): Promise<boolean> {
    return this.#does("the chaincode is deployed with the run's parameters", "deploy", "--params", params);
  }

  async add(name: string): Promise<boolean> {
    return this.#does(`${name} joins the channel, its orderers and who endorses`, "add", name);
  }

  async checkPeers(count: number): Promise<void> {
    const { code, stdout } = await veilgrid(["ledger", "peers", "--profile", this.profile]);
    const said = stdout.trimEnd().split("\n").at(-1) ?? "";
    const isSame = code === 0 && said.startsWith(`${count} peers`);
    this.#report.check("all peers have the same blocks and the same state", isSame, said);
  }

  async remove(): Promise<void> {
    await this.#does("a reset ends every process", "reset");
    this.#report.check("it leaves no file", !existsSync(this.#state), this.#state);
  }
}
