import { expect } from "chai";
import fc from "fast-check";
import { compareBytes } from "@veilgrid/protocol";
import { slotOf, parseSlot } from "../../src/da/names.js";
import { Pools, atMostTwo, heldReading, type HeldReading } from "../../src/da/pool.js";
import { MemoryStore } from "../../src/store/memory.js";

const SLOT = slotOf(7, { month: 24_159, k: 336 });

/** Reading `n` of PRID `prid`: the pool looks at neither signatures nor values. */
function readingOf(prid: number, n: number): HeldReading {
  const signed = new Uint8Array(113);
  signed[40] = prid;
  signed[48] = n;
  return heldReading(signed);
}

describe("the name of a region-period", () => {
  it("is of one length and says what it names", () => {
    expect(SLOT).to.equal("000700005e5f0150");
    expect(parseSlot(SLOT)).to.deep.equal({ region: 7, period: { month: 24_159, k: 336 } });
  });
});

describe("a pool", () => {
  it("acks one reading a PRID, the first, and keeps two others", () => {
    const pool = new Pools({ store: new MemoryStore() }).open(SLOT);
    const [first, second, third, fourth] = [1, 2, 3, 4].map((n) => readingOf(5, n)) as [
      HeldReading,
      HeldReading,
      HeldReading,
      HeldReading,
    ];
    expect([pool.claim(first), pool.claim(first), pool.claim(second)]).to.deep.equal([true, true, false]);
    expect([pool.admit(first), pool.admit(second), pool.admit(second)]).to.deep.equal([false, true, false]);
    expect([pool.admit(third), pool.admit(fourth)]).to.deep.equal([true, false]);
    expect([first, second, third, fourth].map((reading) => pool.knows(reading))).to.deep.equal([
      true,
      true,
      true,
      false,
    ]);
    expect(pool.ackedOf(first.prid)?.id).to.equal(first.id);
  });

  it("has acked only what is on disk, and takes back a claim that is not", async () => {
    const pools = new Pools({ store: new MemoryStore() });
    const pool = pools.open(SLOT);
    const [first, second] = [readingOf(5, 1), readingOf(5, 2)];
    pool.claim(first);
    expect([pool.acked(), pool.held().size]).to.deep.equal([[], 0]);
    pool.disclaim(first);
    expect(pool.claim(second)).to.equal(true);
    await pools.persist({ slot: SLOT, pool }, "a", [second]);
    pool.disclaim(second);
    expect(pool.acked()).to.deep.equal([second]);
  });

  it("may ack what it knew as another's, and knows it after a restart", async () => {
    const store = new MemoryStore();
    const pools = new Pools({ store });
    const [first, second] = [readingOf(5, 1), readingOf(5, 2)];
    const pool = pools.open(SLOT);
    pool.claim(first);
    pool.admit(second);
    await pools.persist({ slot: SLOT, pool }, "n", [second]);
    pool.disclaim(first);
    expect([pool.claim(second), pool.isSettled(second)]).to.deep.equal([true, false]);
    await pools.persist({ slot: SLOT, pool }, "a", [second]);
    const again = new Pools({ store });
    await again.load();
    expect(
      again
        .open(SLOT)
        .acked()
        .map(({ id }) => id),
    ).to.deep.equal([second.id]);
  });

  it("is the same after a restart, whatever was put in, and leaves nothing when it is dropped", async () => {
    const step = fc.record({ prid: fc.integer({ min: 0, max: 3 }), n: fc.integer({ min: 0, max: 5 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const store = new MemoryStore();
        const pools = new Pools({ store });
        for (const { prid, n } of steps) {
          const pool = pools.open(SLOT);
          const reading = readingOf(prid, n);
          if (pool.claim(reading)) {
            if (!pool.isSettled(reading)) await pools.persist({ slot: SLOT, pool }, "a", [reading]);
          } else if (pool.admit(reading)) await pools.persist({ slot: SLOT, pool }, "n", [reading]);
        }
        const again = new Pools({ store });
        await again.load();
        const ids = (list: Iterable<HeldReading>): string[] => [...list].map(({ id }) => id).sort();
        expect(ids(again.open(SLOT).acked())).to.deep.equal(ids(pools.open(SLOT).acked()));
        expect(ids(again.open(SLOT).held().values())).to.deep.equal(ids(pools.open(SLOT).held().values()));
        await store.write(again.drop(SLOT));
        expect([store.size, again.slots]).to.deep.equal([0, []]);
      }),
    );
  });

  it("gives at most two readings of a PRID, ascending as in a block, and two wherever there are two", () => {
    const step = fc.record({ prid: fc.integer({ min: 0, max: 3 }), n: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(fc.uniqueArray(step, { selector: ({ prid, n }) => 16 * prid + n }), (steps) => {
        const readings = steps.map(({ prid, n }) => readingOf(prid, n));
        const chosen = atMostTwo(readings);
        for (let i = 1; i < chosen.length; i += 1) {
          const [before, after] = [chosen[i - 1], chosen[i]] as [HeldReading, HeldReading];
          expect(compareBytes(before.leaf, after.leaf)).to.be.lessThan(0);
        }
        const count = (list: readonly HeldReading[], prid: string): number =>
          list.filter((one) => one.prid === prid).length;
        for (const { prid } of readings) expect(count(chosen, prid)).to.equal(Math.min(2, count(readings, prid)));
      }),
    );
  });
});
