import { expect } from "chai";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StateFolder } from "../src/folder.js";
import { lastLines } from "../src/log.js";
import {
  knownProcesses,
  processStatus,
  signalProcess,
  startProcess,
  stopProcess,
  type ProcessPlan,
} from "../src/process.js";
import { waitFor } from "../src/waiting.js";
import { failure } from "./failure.js";
import { temporaryFolder } from "./temporary.js";

function stateLetter(pid: number): string | undefined {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) ? /\) (\S)/.exec(readFileSync(stat, "utf8"))?.[1] : undefined;
}

describe("a process of the network", () => {
  const folder = new StateFolder(temporaryFolder());

  function plan(name: string, script: string): ProcessPlan {
    return { name, file: "/bin/sh", args: ["-c", script], cwd: folder.root, env: {}, ports: [] };
  }

  const sleeper = plan("sleeper", "echo started; exec sleep 60");

  afterEach(async () => {
    for (const name of knownProcesses(folder)) await stopProcess(folder, name);
  });

  it("is started once, known while it runs, and gone when it is stopped", async () => {
    expect(startProcess(folder, sleeper)).to.equal(true);
    const first = processStatus(folder, "sleeper");
    expect(first.state).to.equal("running");
    expect(startProcess(folder, sleeper)).to.equal(false);
    expect(processStatus(folder, "sleeper")).to.deep.equal(first);
    await stopProcess(folder, "sleeper");
    expect(processStatus(folder, "sleeper")).to.deep.equal({ name: "sleeper", state: "stopped" });
    // What is left for a moment is at most its number, until this process hears of its child's end.
    expect(stateLetter(first.pid as number)).to.be.oneOf([undefined, "Z", "X"]);
    expect(knownProcesses(folder)).to.deep.equal([]);
  });

  it("is not confused with another that has got its number", async () => {
    startProcess(folder, sleeper);
    const file = join(folder.processes, "sleeper.json");
    const own = readFileSync(file, "utf8");
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(own) as object), start: "1" }));
    expect(processStatus(folder, "sleeper").state).to.equal("stopped");
    expect(
      (
        await failure(() => {
          signalProcess(folder, "sleeper", "SIGTERM");
        })
      ).code,
    ).to.equal("process-stopped");
    writeFileSync(file, own);
    expect(processStatus(folder, "sleeper").state).to.equal("running");
  });

  it("is woken to be stopped when it is frozen", async () => {
    startProcess(folder, sleeper);
    signalProcess(folder, "sleeper", "SIGSTOP");
    await waitFor(folder, { what: "the freeze", within: 5000, processes: ["sleeper"] }, () =>
      Promise.resolve(processStatus(folder, "sleeper").state === "frozen" ? [] : ["sleeper"]),
    );
    await stopProcess(folder, "sleeper");
    expect(processStatus(folder, "sleeper").state).to.equal("stopped");
  });

  it("that dies ends the waiting for it, with its last lines", async () => {
    startProcess(folder, plan("dying", "echo 'panic: no'; exit 2"));
    const error = await failure(() =>
      waitFor(folder, { what: "it", within: 10_000, processes: ["dying"] }, () => Promise.resolve(["dying"])),
    );
    expect(error.code).to.equal("process-died");
    expect(error.message).to.equal("dying ended; its last lines:\npanic: no");
  });

  it("that is not ready in time is named, with its last lines and the cause", async () => {
    startProcess(folder, plan("slow", "echo started; exec sleep 60"));
    const waiting = { what: "the sleeper", within: 300, processes: ["slow"] };
    const slow = await failure(() => waitFor(folder, waiting, () => Promise.resolve(["slow"])));
    expect(slow.code).to.equal("not-ready");
    expect(slow.message).to.equal("the sleeper: not after 0.3 s\nslow, last lines:\nstarted");
    const failing = await failure(() => waitFor(folder, waiting, () => Promise.reject(new Error("refused"))));
    expect(failing.message).to.equal("the sleeper: not after 0.3 s: refused");
  });

  it("that is frozen is said to be so when it is waited for", async () => {
    startProcess(folder, plan("icy", "echo started; exec sleep 60"));
    await waitFor(folder, { what: "its output", within: 5000, processes: ["icy"] }, () =>
      Promise.resolve(lastLines(folder, "icy") === "started" ? [] : ["icy"]),
    );
    signalProcess(folder, "icy", "SIGSTOP");
    const waiting = { what: "the frozen", within: 300, processes: ["icy"] };
    const error = await failure(() => waitFor(folder, waiting, () => Promise.resolve(["icy"])));
    expect(error.message).to.equal("the frozen: not after 0.3 s\nicy (frozen), last lines:\nstarted");
  });

  it("is given no variables of Fabric's from outside", async () => {
    process.env.CORE_PEER_ID = "stray";
    startProcess(folder, plan("env", "env; exec sleep 60"));
    delete process.env.CORE_PEER_ID;
    await waitFor(folder, { what: "its output", within: 5000, processes: ["env"] }, () =>
      Promise.resolve(readFileSync(folder.log("env"), "utf8").includes("PATH=") ? [] : ["env"]),
    );
    expect(readFileSync(folder.log("env"), "utf8")).not.to.include("CORE_PEER_ID");
  });
});
