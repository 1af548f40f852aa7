import { expect } from "chai";
import { KIND, toHex } from "@veilgrid/protocol";
import type { RunArguments } from "@veilgrid/gateway";
import { honestRun, SMALL } from "../src/world/honest.js";
import { advance, beginRun, concluded, finish, type Finished } from "../src/world/small-run.js";

/** Who led the readings blocks, by index of the DA, in the order of the ledger. */
function leaders({ headers, run }: Finished): number[] {
  const keys = run.keys.da.map(({ key }) => toHex(key));
  return headers.filter(({ kind }) => kind === KIND.readings).map(({ leader }) => keys.indexOf(toHex(leader)));
}

describe("faults that the consortium bears", () => {
  let honest: Finished;
  before(async () => {
    honest = await honestRun();
  });

  /** Runs the small run with faults; whatever happens, its results are the honest run's. */
  async function withFaults(faults: string[], more: Partial<RunArguments> = {}): Promise<Finished> {
    const run = await finish(await beginRun(SMALL, { faults, ...more }));
    expect(run.billsText).to.equal(honest.billsText);
    expect(run.periodsText).to.equal(honest.periodsText);
    expect(run.audit.findings).to.deep.equal([]);
    return run;
  }

  it("bear one of four down from the beginning, be it who would have led", async () => {
    const [usual] = leaders(honest) as [number];
    const run = await withFaults([`down:${usual}@0`]);
    expect(leaders(run)).not.to.include(usual);
  });

  it("bear an aggregator that goes down and comes back", async () => {
    await withFaults(["down:2@3-6", "down:1@8-9"]);
  });

  it("bear the leader's death in the middle of a window: another one is elected", async () => {
    const run = await withFaults(["kill-leader@5"]);
    const [first, ...rest] = [...new Set(leaders(run))];
    expect(first).to.equal(leaders(honest)[0]);
    expect(rest).to.have.length(1);
    expect(run.audit.elections).to.equal(2);
  });

  it("bear leaders that leave a reading out: no block of theirs is voted for, and terms pass on to who is honest", async () => {
    const [usual] = leaders(honest) as [number];
    const honestOne = (usual + 1) % 4;
    const faults = [0, 1, 2, 3].filter((da) => da !== honestOne).map((da) => `omit:${da}`);
    const run = await withFaults(faults);
    expect(new Set(leaders(run))).to.deep.equal(new Set([honestOne]));
    expect(run.audit.elections).to.be.at.least(2);
    expect(run.headers.filter(({ aggFault }) => aggFault)).to.deep.equal([]);
  });

  it("bear one of seven down and another that leaves readings out", async () => {
    // Seven keys make another consortium: everything but the numbers in the bills differs.
    const run = await finish(await beginRun(SMALL, { das: 7, faults: ["down:5@2", "omit:0"] }));
    const figures = (one: Finished): string[] => one.bills.map(({ meter, total_minor }) => `${meter} ${total_minor}`);
    expect(figures(run)).to.deep.equal(figures(honest));
    expect(run.audit.findings).to.deep.equal([]);
  });
});

describe("two of four aggregators down", () => {
  it("stop the run with its reason, and it goes on to the same bills when it is called again", async () => {
    const run = await beginRun(SMALL, { faults: ["down:0@4", "down:1@4"] });
    const world = await run.world();
    const stop = await advance(world);
    const height = await world.ledger.height();
    expect(stop).to.include({ reason: "quorum-lost", up: 2, needed: 3 });
    // They went down as period 3 ended: its window was theirs to miss, and period 2 is the last on the ledger.
    const head = await world.view.head(1);
    expect(head.lastReadings).to.deep.equal({ month: 12 * 2013 + 3, k: 7 * 48 + 2 });
    await world.close();

    const again = await run.world();
    expect(await again.ledger.height()).to.equal(height);
    expect(await advance(again)).to.deep.equal({ reason: "goal" });
    const finished = await concluded(run, again);
    await again.close();
    const honest = await honestRun();
    expect(finished.billsText).to.equal(honest.billsText);
    expect(finished.periodsText).to.equal(honest.periodsText);
    expect(finished.audit.findings).to.deep.equal([]);
  });

  it("are waited for where they come back by themselves", async () => {
    const finished = await finish(await beginRun(SMALL, { faults: ["down:0@4-5", "down:1@4-4"] }));
    const honest = await honestRun();
    expect(finished.billsText).to.equal(honest.billsText);
  });
});
