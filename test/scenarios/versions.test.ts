import { expect } from "chai";
import { KIND, toHex, type Header } from "@veilgrid/protocol";
import { proposeParams, type Run, type RunChange, type World } from "@veilgrid/gateway";
import { SMALL, honestRun } from "../src/world/honest.js";
import { advance, beginRun, concluded } from "../src/world/small-run.js";

/** Lives on until so many readings blocks are on the ledger. */
async function until(run: Run, blocks: number, change?: readonly RunChange[]): Promise<number> {
  if (change !== undefined) await adopt(run, change);
  return inWorld(run, async (world) => {
    let count = 0;
    for (const region of await world.view.regions()) count += Number((await world.view.head(region)).number);
    await advance(
      world,
      ({ kind }: Header) => {
        if (kind === KIND.readings) count += 1;
      },
      () => count >= blocks,
    );
    return world.params.version;
  });
}

async function inWorld<T>(run: Run, work: (world: World) => Promise<T>): Promise<T> {
  const world = await run.world();
  try {
    return await work(world);
  } finally {
    await world.close();
  }
}

/** Proposes a version, has everybody's operator approve it, and waits for it. */
async function adopt(run: Run, changes: readonly RunChange[]): Promise<void> {
  const leaf = await inWorld(run, (world) => proposeParams(world, changes));
  await inWorld(run, async (world) => {
    const { version } = world.params;
    for (const { seat, runs } of world.approvals()) if (runs) await world.approveParams(seat, leaf);
    await advance(world, undefined, () => world.params.version > version);
    expect(world.params.version).to.equal(version + 1);
  });
}

describe("versions of the parameter set", function () {
  this.timeout(300_000);

  it("change keys, bring an aggregator and send one away, and every bill is what it is without them", async () => {
    const honest = await honestRun();
    const run = await beginRun(SMALL);
    await until(run, 4);
    await until(run, 6, [
      { what: "rotate", party: 1 },
      { what: "rotate", party: "cc" },
      { what: "rotate", party: "kgcbp" },
    ]);
    await until(run, 8, [{ what: "add-da" }]);
    await adopt(run, [{ what: "remove-da", seat: 0 }]);
    const world = await run.world();
    try {
      expect(world.params.da.map(({ msp }) => msp)).to.deep.equal(["DA1MSP", "DA2MSP", "DA3MSP", "DA4MSP"]);
      const keys = new Set(world.params.da.map(({ key }) => toHex(key)));
      expect(run.keys.da.filter(({ key }) => keys.has(toHex(key)))).to.have.length(2);
      await advance(world);
      const finished = await concluded(run, world);
      expect(finished.billsText).to.equal(honest.billsText);
      expect(finished.periodsText).to.equal(honest.periodsText);
      expect(finished.audit.findings).to.deep.equal([]);
      expect(finished.audit.kinds.params).to.equal(3);
      // Whom it sent away stopped when its epochs' blocks were in.
      expect(world.approvals().map(({ runs }) => runs)).to.deep.equal([false, true, true, true, true]);
    } finally {
      await world.close();
    }
  });

  it("change values, which everybody follows, and every bill is what it is without", async () => {
    const honest = await honestRun();
    const run = await beginRun(SMALL);
    await adopt(run, [{ what: "set", values: { submissionWindow: 300, forwardSeconds: 20, roundSeconds: 5 } }]);
    const opens = SMALL.starts[1] as number;
    await inWorld(run, async (world) => {
      await advance(world);
      const params = await world.view.periodParams(1, run.record.input.first);
      expect([params?.version, params?.submissionWindow]).to.deep.equal([2, 300]);
      // The block of the first period comes after the shorter window, and before the longer one would have been over.
      const ts = Number((await world.view.header(1, 2n))?.header.ts);
      expect(ts).to.be.within(opens + 320_000, opens + 599_000);
      const finished = await concluded(run, world);
      expect([finished.billsText, finished.periodsText]).to.deep.equal([honest.billsText, honest.periodsText]);
      expect(finished.audit.findings).to.deep.equal([]);
    });
  });

  it("are refused below four aggregators, with nothing made", async () => {
    const run = await beginRun(SMALL);
    await inWorld(run, async (world) => {
      const error = await proposeParams(world, [
        { what: "rotate", party: 1 },
        { what: "remove-da", seat: 2 },
      ]).then(
        () => undefined,
        (thrown: unknown) => thrown as { code: string },
      );
      expect(error?.code).to.equal("too-few-aggregators");
      expect([world.seats.count, world.seats.later(1)]).to.deep.equal([4, []]);
    });
  });
});
