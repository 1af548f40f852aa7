import { expect } from "chai";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { StateFolder } from "../src/folder.js";
import { boundLog, lastLines } from "../src/log.js";
import { processStatus, startProcess, stopProcess, type ProcessPlan } from "../src/process.js";
import { waitFor } from "../src/waiting.js";
import { temporaryFolder } from "./temporary.js";

describe("a log", () => {
  const folder = new StateFolder(temporaryFolder());
  const older = `${folder.log("talker")}.1`;
  /** Writes the numbers from 1 on, a line each, and goes on when its go.N is made. */
  const script =
    "i=0; for s in 1 2 3; do while [ ! -e go.$s ]; do sleep 0.02; done; n=$((i+500)); while [ $i -lt $n ]; do i=$((i+1)); echo $i; done; done; exec sleep 60";
  const talker: ProcessPlan = {
    name: "talker",
    file: "/bin/sh",
    args: ["-c", script],
    cwd: folder.root,
    env: {},
    ports: [],
  };

  after(() => stopProcess(folder, "talker"));

  async function until(line: string): Promise<void> {
    await waitFor(folder, { what: line, within: 10_000, processes: ["talker"] }, () =>
      Promise.resolve(lastLines(folder, "talker", 1) === line ? [] : [line]),
    );
  }

  function go(step: number): void {
    mkdirSync(`${folder.root}/go.${step}`);
  }

  it("is left alone while it is small", async () => {
    startProcess(folder, talker);
    go(1);
    await until("500");
    expect(boundLog(folder, "talker", 2000)).to.equal(false);
    expect(existsSync(older)).to.equal(false);
    expect(boundLog(folder, "nobody", 2000)).to.equal(false);
  });

  it("is put aside when it is large, and the process goes on writing into an empty one", async () => {
    go(2);
    await until("1000");
    expect(boundLog(folder, "talker", 2000)).to.equal(true);
    expect(statSync(folder.log("talker")).size).to.equal(0);
    expect(lastLines(folder, "talker", 2)).to.equal("999\n1000");
    go(3);
    await until("1500");
    expect(readFileSync(folder.log("talker"), "utf8")).to.match(/^1001\n1002\n/);
    expect(lastLines(folder, "talker", 1500).split("\n")).to.deep.equal(
      Array.from({ length: 1500 }, (_, i) => String(i + 1)),
    );
  });

  it("of the time before is forgotten", () => {
    expect(boundLog(folder, "talker", 2000)).to.equal(true);
    expect(lastLines(folder, "talker", 5000).split("\n")[0]).to.equal("1001");
    expect(processStatus(folder, "talker").state).to.equal("running");
  });
});
