import { expect } from "chai";
import { ratchet, verifyBill, type BillReport, type DifferenceCode } from "@veilgrid/protocol";
import { paperHash, paperReport, paperUserAccepts, type PaperPeriod } from "../../src/paper/bill-report.js";
import { forgedReport, inBilledWorld, reportOf } from "../../src/paper/billed-world.js";

/*
 * The paper (section 5, Dynamic billing a to h): the user compares the hash of the encrypted report with the blockchain's;
 * consumption, price and whatever opens the readings are KGCBP's word.
 * Ours (PROTOCOL section 4): an epoch binds KGCBP to each meter's seeds before they are used, the bill reveals them, and the
 * user recomputes everything from the ledger.
 */

describe("H12: bills on KGCBP's word", () => {
  it("the paper's rule gives way", () => {
    const honest = Array.from({ length: 48 }, (_, k): PaperPeriod => {
      return { consumption: 200n + BigInt(k), price: 25n, masks: 7_919n * BigInt(k + 1) };
    });
    const rc = honest.map(({ consumption, masks }) => consumption + masks);
    const accepts = (periods: readonly PaperPeriod[]): boolean => {
      const report = paperReport(periods);
      return paperUserAccepts(report, paperHash(report), periods, rc);
    };
    expect(accepts(honest)).to.equal(true);
    // A kWh more in each half-hour, and masks that open the readings to it: nobody has seen the masks before.
    const dear = honest.map((period) => {
      return { ...period, consumption: period.consumption + 1_000n, masks: period.masks - 1_000n };
    });
    expect(accepts(dear)).to.equal(true);
    const energy = (periods: readonly PaperPeriod[]): bigint => periods.reduce((sum, one) => sum + one.consumption, 0n);
    expect(energy(dear) - energy(honest)).to.equal(48_000n);
  });

  it("ours holds", async () => {
    await inBilledWorld(async (billed) => {
      const report = await reportOf(billed, 1);
      const { consortium, month } = billed.month;
      const found = async (bill: BillReport): Promise<DifferenceCode[]> => {
        const { differences } = await verifyBill(bill, billed.month);
        return [...new Set(differences.map(({ code }) => code))];
      };
      expect(await found(report)).to.deep.equal([]);
      expect(await found(forgedReport(report, {}))).to.deep.equal([]);
      // The same lie: a kWh more in each half-hour, and a report that does not contradict itself.
      const dear = forgedReport(report, { readings: (wh) => wh + 1_000n });
      expect(BigInt(dear.total)).to.equal(BigInt(report.total) + 300n);
      expect(await found(dear)).to.include.members(["wrong-consumption", "wrong-total"]);
      // Its masks come from seeds: from others than those that were committed before the first reading they do not count.
      const other = (seed: Uint8Array): Uint8Array => ratchet(seed, consortium, month + 1);
      for (const seeds of ["s0", "s1", "r0", "r1"] as const) {
        const swapped = forgedReport(report, { seeds: (own) => ({ ...own, [seeds]: other(own[seeds]) }) });
        expect((await found(swapped))[0], seeds).to.equal("seeds-not-committed");
      }
    });
  });
});
