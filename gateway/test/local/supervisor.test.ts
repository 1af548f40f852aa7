import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Supervisor, type ProcessEvent } from "../../src/local/supervisor.js";

const SLEEPER = fileURLToPath(new URL("sleeper.js", import.meta.url));
const PARENT = fileURLToPath(new URL("parent.js", import.meta.url));

/** Resolves as soon as something holds that other processes bring about. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a supervisor of processes", () => {
  const root = mkdtempSync(join(tmpdir(), "veilgrid-local-"));
  const file = join(root, "said");
  const events: ProcessEvent[] = [];
  let supervisor: Supervisor;

  beforeEach(() => {
    events.length = 0;
    supervisor = new Supervisor({
      program: SLEEPER,
      environment: {},
      pause: 5,
      onEvent: (event) => events.push(event),
    });
  });

  afterEach(() => supervisor.stop());

  after(() => {
    rmSync(root, { recursive: true, force: true });
  });

  function said(): string {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return "";
    }
  }

  function started(): number[] {
    return events.flatMap((event) => (event.kind === "started" ? [event.pid] : []));
  }

  it("starts a process again that was killed, and stops it when it is told to", async () => {
    supervisor.start({ name: "one", args: [file, "first"], log: join(root, "log"), isEndless: true });
    await until(() => said().includes("first"));
    supervisor.signal("one", "SIGKILL");
    await until(() => started().length === 2);
    const [before, after] = started() as [number, number];
    await until(() => said().includes(`${after} first`));
    expect(isAlive(before)).to.equal(false);
    expect(supervisor.restartsOf("one")).to.equal(1);
    await supervisor.stop();
    expect(isAlive(after)).to.equal(false);
    expect(said()).to.include(`${after} stopped`);
    expect(events.at(-1)).to.deep.equal({ kind: "stopped", name: "one" });
  });

  it("gives up what ends at once again and again", async () => {
    supervisor.start({ name: "one", args: [file, "ends"], log: join(root, "log"), isEndless: true });
    await until(() => events.some(({ kind }) => kind === "given-up"));
    expect(started()).to.have.length(6);
    expect(events.filter(({ kind }) => kind === "ended")).to.deep.include({
      kind: "ended",
      name: "one",
      code: 3,
      signal: null,
    });
  });

  it("stops a process that is frozen", async () => {
    supervisor.start({ name: "one", args: [file, "frozen"], log: join(root, "log"), isEndless: true });
    await until(() => said().includes("frozen"));
    supervisor.signal("one", "SIGSTOP");
    await supervisor.stop();
    expect(isAlive(started()[0] as number)).to.equal(false);
  });

  it("leaves no process behind when it is killed itself", async () => {
    const parent = fork(PARENT, [SLEEPER, file], { stdio: "ignore" });
    const [pid] = (await once(parent, "message")) as [number];
    await until(() => said().includes(`${pid} `));
    parent.kill("SIGKILL");
    await until(() => !isAlive(pid));
    expect(said()).to.include(`${pid} stopped`);
  });
});
