import { join } from "node:path";
import { KIND } from "@veilgrid/protocol";
import type { Run } from "@veilgrid/gateway";
import { expect } from "chai";
import { veilgrid } from "../src/world/demo-process.js";
import { honestRun, SMALL } from "../src/world/honest.js";
import { advance, beginRun, finish } from "../src/world/small-run.js";

/** Lives on until so many more readings blocks are on the ledger: whose releases are not all there yet. */
async function blocks(run: Run, count: number, copy: boolean): Promise<void> {
  const world = await run.world();
  try {
    let seen = 0;
    await advance(
      world,
      ({ kind }) => {
        if (kind === KIND.readings) seen += 1;
      },
      () => seen >= count,
    );
    if (copy) await world.backup.copy();
  } finally {
    await world.close();
  }
}

describe("a run whose KGCBP is restored from an earlier base copy and the journal", function () {
  this.timeout(120_000);

  it("comes to the same sums and bills, with one release for each block", async () => {
    const honest = await honestRun();
    const run = await beginRun(SMALL);
    await blocks(run, 5, true);
    await blocks(run, 8, false);
    const restored = await veilgrid(["kgcbp", "restore", "--replace", "--out", run.folder.path]);
    expect(restored.code, restored.stderr).to.equal(0);
    const done = await finish(await beginRun(SMALL, {}, join(run.folder.path, "..")));
    expect(done.billsText).to.equal(honest.billsText);
    expect(done.periodsText).to.equal(honest.periodsText);
    expect(done.audit.findings).to.deep.equal([]);
    const releases = done.headers.filter(({ kind }) => kind === KIND.masks);
    expect(releases.reduce((all, { count }) => all + count, 0)).to.equal(24);
  });
});
