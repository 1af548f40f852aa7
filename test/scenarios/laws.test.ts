import { expect } from "chai";
import fc from "fast-check";
import { samePeriod } from "@veilgrid/protocol";
import { expectedOf } from "../src/world/expected.js";
import { SMALL_TERMS } from "../src/world/honest.js";
import { live, pridOfLeaf, type Lived } from "../src/world/lived.js";
import { countedOf, smallWorld, type SmallWorld } from "../src/world/small-world.js";
import { columns } from "../src/world/tables.js";

/** Each run is a whole town; SLOW=1 makes ten times as many. */
const RUNS = process.env.SLOW === undefined ? 6 : 60;

/** "Same ledger, same inputs: same bytes, on every peer." */
function sameBytes({ audit, differing }: Lived): void {
  // The audit derives every write anew and compares.
  expect(audit.findings).to.deep.equal([]);
  expect(differing).to.deep.equal([]);
}

/**
 * "For every region and period: unmasked sum = sum of the counted meters' consumption. For every bill: total = what
 * anyone with the report recomputes from the ledger."
 */
function sumsAndBills(lived: Lived, small: SmallWorld): void {
  const expected = expectedOf(countedOf(small), { ...SMALL_TERMS, regions: 1 });
  expect(columns(lived.periods, Object.keys(expected.periods[0] ?? {}))).to.deep.equal(expected.periods);
  expect(columns(lived.bills, Object.keys(expected.bills[0] ?? {}))).to.deep.equal(expected.bills);
  expect(lived.bills.filter(({ verified }) => verified !== "true")).to.deep.equal([]);
}

/** "A receipted reading (or two others of its PRID) is on the ledger". */
function receiptsKept({ receipted, blocks }: Lived): void {
  for (const { period, leaf } of receipted) {
    const leaves = blocks.find((block) => samePeriod(block.period, period))?.leaves ?? [];
    const others = leaves.filter((one) => pridOfLeaf(one) === pridOfLeaf(leaf));
    expect(leaves.includes(leaf) || others.length === 2, "a receipted reading is on the ledger").to.equal(true);
  }
}

/** "A crash of any process at any point loses nothing that was receipted and doubles nothing." */
function nothingDoubled({ blocks, headers }: Lived): void {
  expect(blocks).to.have.length(3);
  for (const { leaves } of blocks) {
    const prids = leaves.map(pridOfLeaf);
    // Meters sign a period once, so none of their PRIDs is there twice.
    expect(new Set(prids).size).to.equal(prids.length);
  }
  const numbers = headers.map(({ region, number }) => `${region}/${number.toString()}`);
  expect(new Set(numbers).size).to.equal(numbers.length);
}

/** "No log line, metric, error or event names a meter's BID together with a PRID". */
function nothingTold({ telling }: Lived): void {
  expect(telling).to.deep.equal([]);
}

describe("what must hold, always (PROTOCOL section 5)", () => {
  it("holds in small towns with missing readings, lost halves, faults and the death of all processes", async function () {
    this.timeout(RUNS * 30_000);
    let receipts = 0;
    await fc.assert(
      fc.asyncProperty(smallWorld, async (small) => {
        const lived = await live(small);
        sameBytes(lived);
        sumsAndBills(lived, small);
        receiptsKept(lived);
        nothingDoubled(lived);
        nothingTold(lived);
        receipts += lived.receipted.length;
      }),
      { numRuns: RUNS },
    );
    expect(receipts).to.be.above(10 * RUNS);
  });
});
