import { expect } from "chai";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StateFolder } from "../src/folder.js";
import { exclusively } from "../src/lock.js";
import { failure } from "./failure.js";
import { temporaryFolder } from "./temporary.js";

describe("the lock of a network", () => {
  const root = temporaryFolder();

  it("lets one change it at a time, and leaves nothing", async () => {
    const folder = new StateFolder(join(root, "a"));
    const inner = await exclusively(folder, () => failure(() => exclusively(folder, () => Promise.resolve())));
    expect(inner.code).to.equal("network-busy");
    expect(inner.facts.pid).to.equal(process.pid);
    expect(existsSync(folder.root)).to.equal(false);
  });

  it("is taken from a process that is no more", async () => {
    const folder = new StateFolder(join(root, "b"));
    mkdirSync(folder.root);
    writeFileSync(join(folder.root, "lock.json"), JSON.stringify({ pid: process.pid, start: "1" }));
    expect(await exclusively(folder, () => Promise.resolve("done"))).to.equal("done");
  });
});
