import { expect } from "chai";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { down, networkStatus, reset, Site, StateFolder, up } from "../../src/index.js";
import { markedProcesses } from "../../src/mark.js";
import { HOST } from "../../src/ports.js";
import { waitFor } from "../../src/waiting.js";
import { failure } from "../failure.js";
import { RunningNetwork } from "../running.js";

const BASE_PORT = 18_450;
const COMMAND = fileURLToPath(new URL("../../../bin/fabric.js", import.meta.url));
const quiet = (): void => undefined;

/** Until its parent hears of its end, a process that is no more still has a number, but no program. */
function runs(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

describe("what a network leaves behind", () => {
  const network = new RunningNetwork();
  const folder = new StateFolder(network.root);
  after(() => network.remove());

  function fabric(...args: string[]): { readonly status: number | null; readonly stdout: string } {
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
    return spawnSync(process.execPath, [COMMAND, "--state", network.root, ...args], { encoding: "utf8", env });
  }

  /** Kills `up` when it has started some processes, and loses the record of one, as if it had not been written yet. */
  async function interruptedUp(): Promise<void> {
    const args = [COMMAND, "--state", network.root, "up", "--base-port", String(BASE_PORT)];
    const child = spawn(process.execPath, args, { stdio: "ignore" });
    const closed = once(child, "close");
    await waitFor(folder, { what: "processes", within: 60_000, processes: [] }, () =>
      Promise.resolve(existsSync(join(folder.processes, "peer.da0.json")) ? [] : ["peer.da0"]),
    );
    child.kill("SIGKILL");
    await closed;
    rmSync(join(folder.processes, "orderer.da1.json"));
  }

  it("is no process, when `up` was killed in the middle and `down` is called", async () => {
    await interruptedUp();
    expect(markedProcesses(folder)).to.have.length.above(4);
    expect(fabric("down").status).to.equal(0);
    expect(markedProcesses(folder)).to.deep.equal([]);
  });

  it("is nothing that another `up` stumbles over", async () => {
    await interruptedUp();
    const said: string[] = [];
    await up(network.root, {}, (text) => said.push(text));
    expect(said[0]).to.match(/^stopped \d+ processes that an interrupted start left$/);
    const { state, processes } = await networkStatus(network.site);
    expect(state).to.equal("running");
    expect(markedProcesses(folder).sort()).to.deep.equal(processes.map(({ pid }) => pid).sort());
  });

  it("moves with its folder", async () => {
    const height = await network.sameHeight();
    await down(network.root);
    const moved = join(dirname(network.root), "moved");
    renameSync(network.root, moved);
    await up(moved, {}, quiet);
    const { state, processes } = await networkStatus(Site.open(moved));
    expect(state).to.equal("running");
    expect(processes.find(({ name }) => name === "peer.kgcbp")?.height).to.equal(height);
    // Moved while it runs, its processes are still known; the watchdog may have found its folder gone, and ended.
    renameSync(moved, network.root);
    const running = (await networkStatus(network.site)).processes.filter((process) => process.state === "running");
    expect(running.map(({ name }) => name)).to.include.members(["orderer.da0", "peer.da3", "peer.kgcbp"]);
    const numbers = markedProcesses(folder);
    expect(numbers).to.have.length.above(8);
    expect(await down(network.root)).to.have.length(10);
    for (const pid of numbers) expect(runs(pid), String(pid)).to.equal(false);
  });

  it("is told about ports that something else took meanwhile, and starts nothing", async () => {
    const server = createServer().listen(BASE_PORT + 13, HOST);
    await once(server, "listening");
    try {
      const error = await failure(() => up(network.root, {}, quiet));
      expect(error.code).to.equal("port-in-use");
      expect(error.message).to.include(`${BASE_PORT + 13} (peer.da1)`);
      expect(markedProcesses(folder)).to.deep.equal([]);
    } finally {
      server.close();
      await once(server, "close");
    }
  });

  it("is handled by the command: single processes, status for people and programs, logs, reset", () => {
    expect(fabric("up").status).to.equal(0);
    expect(fabric("freeze", "peer.da1", "orderer.da2").stdout).to.equal("peer.da1 frozen\norderer.da2 frozen\n");
    const people = fabric("status");
    expect(people.status).to.equal(1);
    expect(people.stdout).to.match(/^peer\.da1 +frozen +pid \d+$/m);
    expect(people.stdout).to.include("frozen     orderer.da2: others wait for it; `thaw orderer.da2` lets it go on\n");
    const program = JSON.parse(fabric("status", "--json").stdout) as Record<string, unknown>;
    expect(program).to.deep.include({ state: "mixed", frozen: ["orderer.da2", "peer.da1"] });
    expect(fabric("thaw", "peer.da1", "orderer.da2").status).to.equal(0);
    expect(fabric("kill", "peer.da1").stdout).to.equal("peer.da1 killed\n");
    expect(fabric("start", "peer.da1").stdout).to.equal("peer.da1 runs\n");
    expect(fabric("stop", "watchdog").stdout).to.equal("watchdog stopped\n");
    expect(fabric("start", "watchdog").stdout).to.equal("watchdog runs\n");
    expect(fabric("status").status).to.equal(0);
    expect(fabric("logs", "peer.da1", "--lines", "3").stdout.trimEnd().split("\n")).to.have.length(4);
    expect(fabric("start", "peer.da7").status).to.equal(2);
    const numbers = markedProcesses(folder);
    expect(fabric("reset").stdout).to.equal("nothing is left\n");
    expect(existsSync(network.root)).to.equal(false);
    for (const pid of numbers) expect(runs(pid), String(pid)).to.equal(false);
  }).timeout(400_000);

  it("is not what somebody else put into the folder", async () => {
    mkdirSync(join(network.root, "thesis"), { recursive: true });
    expect((await failure(() => reset(network.root))).code).to.equal("folder-in-use");
    expect((await failure(() => up(network.root, { basePort: BASE_PORT }, quiet))).code).to.equal("folder-in-use");
    expect(readdirSync(network.root)).to.deep.equal(["thesis"]);
    rmSync(network.root, { recursive: true });
  });
});
