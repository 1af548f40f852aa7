import { expect } from "chai";
import {
  addPeriods,
  decodeLeaf,
  KIND,
  periodEnd,
  READING_BYTES,
  readingCodec,
  toHex,
  verdictCodec,
  window,
  type Period,
  type Verdict,
} from "@veilgrid/protocol";
import type { CaseView, Packet, Run, World } from "@veilgrid/gateway";
import { MeterKeys } from "../src/world/meter-keys.js";
import { MeterCsv } from "../src/world/meter-csv.js";
import { Needles } from "../src/world/needles.js";
import { beginRun, finish, type Finished } from "../src/world/small-run.js";
import { Stranger } from "../src/world/stranger.js";

/** Nine real homes in one region, seven half-hours. */
const HOMES = MeterCsv.sgsc(9, 7, "2013-04-08T08:00Z");
/** Whose meter does what, and in which period. */
const [SILENT, HALF, IMPLAUSIBLE, TWICE, LATE, CUT_OFF] = [0, 1, 2, 3, 4, 5];
/** The register of the third home jumps in the third period, the first home's is not read in the first. */
const FAULTY = HOMES.with((text, home, n) => {
  if (home === SILENT && n === 0) return "";
  return home === IMPLAUSIBLE && n === 2 ? "300.000" : text;
});

function nth(run: Run, n: number): Period {
  const { first, periodSeconds } = run.record.input;
  return addPeriods(first, n, periodSeconds);
}

/** Loses what some meters send: home and period, and which of the halves. */
function lose(
  run: Run,
  world: World,
  keys: MeterKeys,
  lost: readonly (readonly [number, number, readonly (0 | 1)[]])[],
): void {
  const prids = new Set(
    lost.flatMap(([home, n, halves]) => {
      const both = keys.halves(home, nth(run, n));
      return halves.map((half) => toHex(both[half].prid));
    }),
  );
  world.network.drop(({ method, direction, from, bytes }: Packet) => {
    if (method !== "reading" || direction !== "request" || !from.startsWith("meter/")) return false;
    return prids.has(toHex(readingCodec.decode(bytes.subarray(0, READING_BYTES)).prid));
  });
}

/** Everything that goes wrong; what a log shows of it is asked for when all windows are over. */
async function disturb(run: Run, world: World, views: CaseView[]): Promise<void> {
  const params = await world.view.currentParams();
  const keys = new MeterKeys(run, await world.view.consortium());
  const stranger = new Stranger(world);
  lose(run, world, keys, [
    [HALF, 1, [0]],
    [LATE, 4, [0, 1]],
    [CUT_OFF, 5, [0, 1]],
  ]);
  const twice = window(nth(run, 3), params);
  stranger.at(twice.opens, () => {
    const [, second] = keys.halves(TWICE, nth(run, 3));
    for (const da of [0, 1]) stranger.ask(da, "reading", keys.sign(1, nth(run, 3), second, BigInt(5 + da)));
  });
  // A half that comes late is never admitted.
  const late = window(nth(run, 4), params);
  stranger.at(late.closes + 1000, () => {
    for (const reading of keys.readings(LATE, nth(run, 4), 5n)) stranger.ask(2, "reading", reading);
  });
  stranger.at(periodEnd(nth(run, 6), params.periodSeconds) + 1_700_000, async () => {
    for (const { region, period } of await world.kgcbp.cases.list()) {
      views.push(await world.kgcbp.cases.compare(region, period, (meter, at) => world.meterLog(meter, at)));
    }
  });
}

/** What the ledger has of verdicts. */
async function verdictsOf(world: World): Promise<{ readonly bodies: Uint8Array[]; readonly verdicts: Verdict[] }> {
  const bodies: Uint8Array[] = [];
  const { number } = await world.view.head(0);
  for (let at = 1n; at <= number; at += 1n) {
    const block = (await world.view.block(0, at))?.block;
    if (block?.header.kind === KIND.verdicts) bodies.push(...block.leaves.map((leaf) => decodeLeaf(leaf).body));
  }
  return { bodies, verdicts: bodies.map((body) => verdictCodec.decode(body)) };
}

const TARIFF = { minorDigits: 2, faultPenalty: "5000000000" };

describe("faulty meters", function () {
  this.timeout(300_000);
  const views: CaseView[] = [];
  let run: Run;
  let finished: Finished;

  before(async () => {
    run = await beginRun(FAULTY, { regions: 1, tariff: TARIFF });
    finished = await finish(run, { watch: (world) => disturb(run, world, views) });
  });

  it("are named exactly, period by period, and no honest meter is", () => {
    const said = views.map(({ period, status, meters }) => [
      period.k - nth(run, 0).k,
      status,
      ...meters.map(
        ({ meter, fault, finding }) => `${HOMES.households.indexOf(meter)} ${fault} ${finding?.reason ?? ""}`,
      ),
    ]);
    expect(said).to.deep.equal([
      [0, "closed", `${SILENT} silent no-reading`],
      [1, "closed", `${HALF} half undelivered`],
      [2, "finding", `${IMPLAUSIBLE} implausible register`],
      [3, "finding", `${TWICE} repeated two-readings`],
      [4, "closed", `${LATE} silent undelivered`],
      [5, "closed", `${CUT_OFF} silent undelivered`],
    ]);
  });

  it("have verdicts that name neither meter nor customer", async () => {
    const world = await run.world();
    try {
      const { bodies, verdicts } = await verdictsOf(world);
      const counts = verdicts.map(({ silent, orphan, implausible, conflict }) => [
        silent,
        orphan,
        implausible,
        conflict,
      ]);
      expect(counts).to.deep.equal([
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
      ]);
      const keys = new MeterKeys(run, await world.view.consortium());
      const prids = run.keys.homes.flatMap((_, home) => keys.halves(home, nth(run, 0)).map(({ prid }) => prid));
      const needles = new Needles([...run.keys.homes.map(({ bid }) => bid), ...prids]);
      expect(bodies.map((body) => needles.in(body))).to.deep.equal([0, 0, 0, 0]);
    } finally {
      await world.close();
    }
  });

  it("are charged on bills that verify, and cost nobody else anything", () => {
    expect(finished.outcome.bills.filter(({ verified }) => !verified)).to.deep.equal([]);
    expect(finished.audit.findings).to.deep.equal([]);
    expect(finished.audit.kinds).to.include({ verdicts: 4 });
    // Half a minor unit more, floored: the energy line alone, rounded.
    const energyMinor = (nano: string): bigint => (BigInt(nano) + 5_000_000n) / 10_000_000n;
    const charged = finished.bills.map((bill) =>
      Number(BigInt(bill.total_minor as string) - energyMinor(bill.energy_cost_nano as string)),
    );
    // 5.00 for each case with a verdict.
    expect(charged).to.deep.equal([500, 500, 0, 0, 500, 500, 0, 0, 0]);
    expect(finished.bills.map(({ missing }) => missing)).to.deep.equal(["1", "1", "1", "1", "1", "1", "0", "0", "0"]);
  });
});

describe("a fault in mode upfront", function () {
  this.timeout(300_000);

  it("has its correction and its verdict; after-commit knows no correction", async () => {
    for (const release of ["upfront", "after-commit"] as const) {
      const done = await finish(await beginRun(FAULTY.since(FAULTY.starts[0] as number, 3), { regions: 1, release }));
      const { verdicts, masks } = done.audit.kinds as Record<string, number>;
      expect(verdicts).to.equal(1);
      // Upfront the fault alone is corrected; after-commit each period has its one release.
      expect(masks).to.equal(release === "upfront" ? 1 : 3);
      expect(done.audit.findings).to.deep.equal([]);
      expect(done.outcome.bills.every(({ verified }) => verified)).to.equal(true);
    }
  });
});
