import { expect } from "chai";
import {
  addPeriods,
  periodEnd,
  READING_BYTES,
  readingCodec,
  toHex,
  type BillReport,
  type Period,
} from "@veilgrid/protocol";
import { ContentFolder, Customer, CommittedMonth, type HomeKeys, type Run, type World } from "@veilgrid/gateway";
import { MeterCsv } from "../src/world/meter-csv.js";
import { MeterKeys } from "../src/world/meter-keys.js";
import { beginRun, finish } from "../src/world/small-run.js";

/** Nine real homes from two hours before a month's end to two hours after it. */
const HOMES = MeterCsv.sgsc(9, 8, "2013-04-30T22:00Z");
const [APRIL, MAY] = [12 * 2013 + 3, 12 * 2013 + 4];
/** Home and period whose halves never reach an aggregator: all of the first month, the last one of it twice. */
const LOST: readonly (readonly [home: number, n: number])[] = [[0, 0], [0, 3], [1, 3], [2, 2]]; // prettier-ignore
const TARIFF = {
  minorDigits: 2,
  tiers: [[400, 50_000], [null, 80_000]], // prettier-ignore
  fixed: [200_000_000],
  taxes: [81_000],
  missingRule: "profile",
  profile: Array.from({ length: 48 }, (_, i) => 10 + (i % 7)),
};

function nth(run: Run, n: number): Period {
  const { first, periodSeconds } = run.record.input;
  return addPeriods(first, n, periodSeconds);
}

/** Loses what the meters send, and settles their own logs two periods into the next month. */
async function loseAndSettle(run: Run, world: World, settled: string[]): Promise<void> {
  const keys = new MeterKeys(run, await world.view.consortium());
  const prids = new Set(LOST.flatMap(([home, n]) => keys.halves(home, nth(run, n)).map(({ prid }) => toHex(prid))));
  world.network.drop(({ method, direction, from, bytes }) => {
    if (method !== "reading" || direction !== "request" || !from.startsWith("meter/")) return false;
    return prids.has(toHex(readingCodec.decode(bytes.subarray(0, READING_BYTES)).prid));
  });
  world.clock.at(periodEnd(nth(run, 6), run.record.input.periodSeconds), "logs are read", async () => {
    for (const home of [0, 1, 2]) {
      const meter = HOMES.households[home] as string;
      const log: { period: Period; wh: bigint }[] = [];
      for (let n = 0; n < 4; n += 1) {
        const wh = (await world.meterLog(meter, nth(run, n)))?.consumption;
        if (wh !== undefined) log.push({ period: nth(run, n), wh });
      }
      for (const { period, status } of await world.kgcbp.settling.settle(meter, log)) {
        if (status === "settled") settled.push(`${home}/${period.k - nth(run, 0).k}`);
      }
    }
  });
}

async function reportsOf(run: Run): Promise<BillReport[][]> {
  const world = await run.world();
  const content = await ContentFolder.open(run.folder.ipfs);
  try {
    const reports: BillReport[][] = [];
    for (const { bid, customer } of run.keys.homes as HomeKeys[]) {
      const own: BillReport[] = [];
      for (const month of [APRIL, MAY]) {
        const committed = await CommittedMonth.open(month, { view: world.view });
        own.push((await new Customer({ bid, identity: customer.identity }, { content }).open(committed)).report);
      }
      reports.push(own);
    }
    return reports;
  } finally {
    await world.close();
  }
}

function nanos(reports: readonly BillReport[]): bigint {
  return reports.flatMap(({ lines }) => lines).reduce((sum, { nano }) => sum + BigInt(nano), 0n);
}

describe("missing periods that are settled", function () {
  this.timeout(300_000);

  it("bring each customer's two months to what they would be had nothing been lost, to the unit", async () => {
    const asked = { regions: 1, tariff: TARIFF };
    const whole = await finish(await beginRun(HOMES, asked));
    const settled: string[] = [];
    const run = await beginRun(HOMES, asked);
    const done = await finish(run, { watch: (world) => loseAndSettle(run, world, settled) });
    expect(settled).to.deep.equal(["0/0", "0/3", "1/3", "2/2"]);
    expect(done.outcome.bills.filter(({ verified }) => !verified)).to.deep.equal([]);
    expect(done.audit.findings).to.deep.equal([]);
    const [reports, truth] = [await reportsOf(run), await reportsOf(whole.run)];
    for (const [home, own] of reports.entries()) {
      const estimated = own[0]?.columns.quality.filter((quality) => quality === 2).length;
      expect(estimated, String(home)).to.equal(LOST.filter(([lost]) => lost === home).length);
      expect(own[1]?.deltas.map(({ month }) => month)).to.deep.equal(home < 3 ? ["2013-04"] : []);
      expect(nanos(own), String(home)).to.equal(nanos(truth[home] as BillReport[]));
    }
  });
});
