import { createHash } from "node:crypto";
import { expect } from "chai";
import { readInput } from "../../vectors/input.js";
import { VECTORS } from "./committed.js";

const INPUT = readInput();

/** BIP-340's tagged hash, in hex, with nothing of the product. */
function tagged(tag: string, ...parts: readonly string[]): string {
  const of = createHash("sha256").update(tag).digest();
  const hash = createHash("sha256").update(of).update(of);
  for (const part of parts) hash.update(Buffer.from(part, "hex"));
  return hash.digest("hex");
}

function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, "0");
}

describe("verdicts of input.json", () => {
  const secret = INPUT.secretKeys.kgcbp as string;
  const { month, k: first } = INPUT.first;

  for (const [i, { caseKey, caseId, ref, verdictBytes }] of VECTORS.verdicts.entries()) {
    it(`have refs by the month's case key and the case's own id: period ${i}`, () => {
      const place = hex(INPUT.region, 2) + hex(month, 4) + hex(first + i, 2);
      expect(caseKey).to.equal(tagged("veilgrid/1/case-key", secret, hex(month, 4)));
      expect(caseId).to.equal(tagged("veilgrid/1/case-id", secret, place).slice(0, 32));
      expect(ref).to.equal(tagged("veilgrid/1/case", caseKey, caseId));
      expect(verdictBytes.slice(0, 16)).to.equal(place);
      expect(verdictBytes.slice(32)).to.equal(ref);
    });
  }

  it("count meters by what was wrong with them, and name none", () => {
    const implausible = INPUT.consumption.map((row) => row.filter((wh) => Math.abs(wh) > 50_000).length);
    const counts = VECTORS.verdicts.map(({ verdictBytes }) => verdictBytes.slice(16, 32));
    // Silent, orphan, implausible, conflict: meter 3 is half and meter 5 in conflict in the first period.
    expect(counts).to.deep.equal(
      implausible.map((count, i) => hex(0, 2) + hex(i === 0 ? 1 : 0, 2) + hex(count, 2) + hex(i === 0 ? 1 : 0, 2)),
    );
    expect(VECTORS.readingsBlocks.map(({ headerBytes }) => headerBytes.length)).to.deep.equal([346, 346, 346]);
  });
});
