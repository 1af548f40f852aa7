import { KIND } from "@veilgrid/protocol";
import { expect } from "chai";
import type { MeterWish, Run } from "@veilgrid/gateway";
import { MeterCsv } from "../src/world/meter-csv.js";
import { advance, beginRun, finish, type Finished } from "../src/world/small-run.js";

/** Fourteen homes from two hours before midnight to two hours after it: an epoch on either side. */
const CSV = MeterCsv.sgsc(14, 8, "2013-04-08T22:00Z");
/** The first period of the second day. */
const MIDNIGHT = 4;
const [moved, sold, replaced, rekeyed, removed] = [0, 2, 4, 6, 3];
const LIKE = 1;
const name = (household: number): string => CSV.households[household] as string;

const WISHES: readonly MeterWish[] = [
  { kind: "move", meter: name(moved), region: 2 },
  { kind: "sell", meter: name(sold), customer: "the buyer" },
  { kind: "replace", meter: name(replaced), device: "a new one", key: "fresh", compromised: false },
  { kind: "rekey", meter: name(rekeyed), compromised: true },
  { kind: "remove", meter: name(removed) },
  { kind: "add", meter: "the new meter", region: 2, customer: "the newcomer", device: "its device", like: name(LIKE) },
];

/** Changes the meters when the first day's epochs are on the ledger, in a process that ends then. */
async function changed(run: Run): Promise<number[]> {
  const world = await run.world();
  let epochs = 0;
  await advance(
    world,
    ({ kind }) => {
      if (kind === KIND.epoch) epochs += 1;
    },
    () => epochs === 2,
  );
  const from: number[] = [];
  for (const wish of WISHES) {
    const preview = await world.previewChange(wish);
    const { change } = await world.changeMeter(wish);
    expect(change.from).to.deep.equal(preview.from);
    from.push(change.from.k);
  }
  await world.close();
  return from;
}

/** Whether the household's meter counts in the nth period, and where. */
function regionAt(household: number, n: number): number | undefined {
  if (household === rekeyed && n < MIDNIGHT) return undefined;
  if (household === removed && n >= MIDNIGHT) return undefined;
  return household === moved && n >= MIDNIGHT ? 2 : 1 + (household % 2);
}

describe("a run in which meters change", function () {
  this.timeout(300_000);
  let from: number[];
  let lived: Finished;

  before(async () => {
    const run = await beginRun(CSV);
    from = await changed(run);
    lived = await finish(run, {
      // A new process has everything; the operator who asks again changes nothing.
      watch: async (world) => {
        for (const wish of WISHES) expect((await world.changeMeter(wish)).preview).to.equal(undefined);
      },
    });
  });

  it("has each change hold from the first period that was not sent", () => {
    expect(from).to.deep.equal(WISHES.map(() => 8 * 48));
  });

  it("has every regional sum exact on both sides", () => {
    const wattHours = CSV.wattHours();
    const expected = [1, 2].flatMap((region) =>
      CSV.starts.map((start, n) => {
        const counted = wattHours.map((row, i) => (regionAt(i, n) === region ? (row[n] as bigint) : 0n));
        const added = region === 2 && n >= MIDNIGHT ? (wattHours[LIKE]?.[n] as bigint) : 0n;
        const sum = counted.reduce((all, wh) => all + wh, added);
        return [String(region), `${new Date(start).toISOString().slice(0, 16)}Z`, String(sum)];
      }),
    );
    const rows = lived.periods.map((row) => [row.region, row.period_start, row.consumption_wh]);
    expect(rows).to.deep.equal(expected);
  });

  it("has every bill exact, and every one verified", () => {
    const wattHours = CSV.wattHours();
    const sum = (household: number, first = 0, end = 8): string =>
      String((wattHours[household] as bigint[]).slice(first, end).reduce((all, wh) => all + wh, 0n));
    const expected = CSV.households.map((meter, i) => {
      if (i === sold || i === removed) return [meter, sum(i, 0, MIDNIGHT), "0", "true"];
      return i === rekeyed ? [meter, sum(i, MIDNIGHT), "4", "true"] : [meter, sum(i), "0", "true"];
    });
    expected.splice(1 + sold, 0, [name(sold), sum(sold, MIDNIGHT), "0", "true"]);
    expected.push(["the new meter", sum(LIKE, MIDNIGHT), "0", "true"]);
    expect(lived.bills.map((row) => [row.meter, row.energy_wh, row.missing, row.verified])).to.deep.equal(expected);
    expect(lived.audit.findings).to.deep.equal([]);
  });
});
