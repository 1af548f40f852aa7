import { expect } from "chai";
import {
  DEFAULT_TARIFF,
  deriveSeeds,
  draftReport,
  encodeReport,
  monthOf,
  padReport,
  paramsDefaults,
  sha256,
  utf8,
} from "@veilgrid/protocol";
import { inBilledWorld } from "../../src/paper/billed-world.js";
import { rankCorrelation } from "../../src/paper/statistics.js";
import { MeterCsv } from "../../src/world/meter-csv.js";

/*
 * The paper (section 5, Dynamic billing d, e): the encrypted report is put into IPFS as it is, and an encryption is as long
 * as what it encrypts.
 * Ours (PROTOCOL section 4): every ciphertext of a bill has exactly `billBytes`.
 */

const MONTH = monthOf("2013-04");
/** 8 April 00:00 UTC. */
const FIRST = 7 * 48;
/** Fifty real homes, to the month's end. */
const HOMES = MeterCsv.sgsc(50, 1440 - FIRST);

/** A household's report, as long as it is. */
function reportBytes(readings: readonly (bigint | undefined)[], household: number): Uint8Array {
  const consortium = sha256(utf8("consortium"));
  const seeds = deriveSeeds(sha256(utf8(`month key ${household}`)), consortium, MONTH);
  const path = { index: household, count: 50, hashes: Array.from({ length: 6 }, () => consortium) };
  return encodeReport(
    draftReport({
      ...{ consortium, readings, tariff: DEFAULT_TARIFF, periodSeconds: 1800, timeZone: "UTC", month: MONTH },
      bid: sha256(utf8(`bid ${household}`)).subarray(0, 16),
      supply: { from: FIRST, to: FIRST + readings.length },
      prices: readings.map(() => 250_000n),
      leaves: [{ region: 1, number: 1n, first: FIRST, seeds, path }],
    }),
  );
}

describe("H13: the length of a bill", () => {
  const wh = HOMES.wattHours();
  const reports = wh.map(reportBytes);
  const consumption = wh.map((row) => Number(row.reduce<bigint>((sum, c) => sum + (c ?? 0n), 0n)));

  it("the paper's rule gives way", () => {
    const lengths = reports.map(({ length }) => length);
    expect(rankCorrelation(lengths, consumption)).to.be.closeTo(0.82, 0.01);
    expect(new Set(lengths).size).to.be.at.least(48);
  });

  it("ours holds", async () => {
    const padded = reports.map((report) => padReport(report, paramsDefaults.billBytes).length);
    expect(rankCorrelation(padded, consumption)).to.equal(0);
    expect(new Set(padded)).to.deep.equal(new Set([130_856]));
    // And so do the bills that a consortium has put into its content store.
    const lengths = await inBilledWorld(({ run, month, content }) =>
      Promise.all(
        run.keys.homes.map(async ({ bid }) => (await content.get(month.bill(bid)?.cid as Uint8Array)).length),
      ),
    );
    expect(lengths).to.deep.equal(Array.from({ length: 12 }, () => 131_072));
  });
});
