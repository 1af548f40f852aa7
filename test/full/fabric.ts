import { isVeilgridError } from "@veilgrid/protocol";
import { findBinaries, requireLinux } from "@veilgrid/network";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../src/documents/repository.js";
import { node, veilgrid } from "../src/world/demo-process.js";
import { scratchFolder } from "../src/world/scratch.js";
import { DAY, DAY_READINGS, honestDay } from "./day.js";
import { Demo, TERMS } from "./demo.js";
import { seconds, type Report } from "./report.js";

const FABRIC = join(REPOSITORY, "network", "bin", "fabric.js");
const BASE_PORT = "26200";

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
class Network {
  readonly #report: Report;
  readonly #state = join(scratchFolder("network"), "state");

  constructor(report: Report) {
    this.#report = report;
    // Its processes would outlive this one; and its folder goes last.
    process.prependOnceListener("exit", () => {
      if (existsSync(this.#state)) spawnSync(process.execPath, [FABRIC, "--state", this.#state, "reset"]);
    });
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
    if (!(await this.#does("a network comes up", "up", "--base-port", BASE_PORT))) return false;
    return this.#does("the chaincode is deployed with the run's parameters", "deploy", "--params", params);
  }

  async remove(): Promise<void> {
    await this.#does("a reset ends every process", "reset");
    this.#report.check("it leaves no file", !existsSync(this.#state), this.#state);
  }
}

async function checkPeers(report: Report, profile: string): Promise<void> {
  const { code, stdout } = await veilgrid(["ledger", "peers", "--profile", profile]);
  const said = stdout.trimEnd().split("\n").at(-1) ?? "";
  report.check("all peers have the same blocks and the same state", code === 0 && said.startsWith("5 peers"), said);
}

/** A day on real peers, compared with the same day on the embedded ledger. */
export async function fabric(report: Report): Promise<void> {
  const why = unfit();
  if (why !== undefined) {
    report.leaveOut(why);
    return;
  }
  const { version } = await findBinaries(undefined, (text) => {
    report.progress(text);
  });
  report.note("Fabric", version);
  const { demo: usual } = await honestDay(report);
  const network = new Network(report);
  const demo = new Demo(report, "fabric", ["--ledger", "fabric", "--profile", network.profile]);
  const begun = await veilgrid(["network", "params", ...DAY, "--out", demo.out]);
  report.check("the run begins with its parameters", begun.code === 0, begun.stderr + begun.stdout.slice(0, 76));
  try {
    if (!(await network.start(join(demo.out, "params.bin")))) return;
    await demo.finish();
    demo.checkAgainst(DAY_READINGS(), { ...TERMS, regions: 2 });
    demo.checkSameAs(usual);
    await checkPeers(report, network.profile);
  } finally {
    await network.remove();
  }
}
