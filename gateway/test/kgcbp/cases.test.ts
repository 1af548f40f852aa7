import {
  BASIS,
  KIND,
  answerCodec,
  caseRef,
  decodeLeaf,
  deriveSeeds,
  encodeReceipt,
  isVeilgridError,
  leaf,
  merkleRoot,
  monthCloses,
  parseTariff,
  window,
  readingCodec,
  readingHash,
  readingSecret,
  signStruct,
  ackCodec,
  splitReading,
  toHex,
  verdictCodec,
  encodeSigned,
  pridOf,
  type Answer,
  type Period,
  type Supply,
  type Verdict,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer, type VerifiedBill } from "../../src/customer/customer.js";
import { meterLogJson, parseMeterLog, type LoggedPeriod } from "../../src/input/meter-log.js";
import type { CaseView } from "../../src/kgcbp/case-desk.js";
import { SECRETS, paramsOf } from "../support/committee.js";
import { homeOf, readingsOf, type Home } from "../support/homes.js";
import { Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const NOON = Date.UTC(2026, 2, 30, 12);
const DAY_MS = 86_400_000;
/** The last two periods of 30 March. */
const FIRST: Period = { month: MARCH, k: 1438 };
const END: Period = { month: MARCH, k: 1446 };
const at = (k: number): Period => ({ month: MARCH, k });
const params = paramsOf();

const consumption: Consumption = ({ enrolment }, { k }) => BigInt((enrolment.bid[1] as number) + k);

function homes(): Promise<Home[]> {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
  return Promise.all(names.map((name) => homeOf(name, 1, FIRST, END)));
}

async function townOf(more: Partial<ConstructorParameters<typeof Town>[0]> = {}): Promise<Town> {
  const town = new Town({ homes: await homes(), params, start: NOON, ...more });
  await town.setUp();
  await town.settle();
  return town;
}

/** What a period's block has, less what the named homes' meters failed to bring in. */
async function faulty(
  town: Town,
  period: Period,
  wrong: Readonly<Record<string, "silent" | "half" | "repeated" | "implausible">>,
): Promise<Uint8Array[]> {
  const consortium = await town.view.consortium();
  return town.homes.flatMap((home) => {
    const what = wrong[home.enrolment.meter];
    const wh = consumption(home, period) as bigint;
    if (what === "silent") return [];
    const [first, second] = readingsOf(home, consortium, period, what === "implausible" ? 200_001n : wh);
    if (what === "half") return [first];
    // The split's first half does not depend on the consumption: the second one does.
    const [, other] = readingsOf(home, consortium, period, wh + 1n);
    return what === "repeated" ? [first, second, other] : [first, second];
  });
}

/** Runs to the end of a period and commits its block. */
async function commit(
  town: Town,
  period: Period,
  wrong: Readonly<Record<string, "silent" | "half" | "repeated" | "implausible">>,
): Promise<void> {
  await town.runTo(town.startOf(period) + 1_800_000);
  await town.readings(1, period, await faulty(town, period, wrong));
}

/** What the ledger has of verdicts, in its order. */
async function verdicts(town: Town): Promise<Verdict[]> {
  const { number: head } = await town.view.head(0);
  const found: Verdict[] = [];
  for (let number = 1n; number <= head; number += 1n) {
    const committed = await town.view.block(0, number);
    if (committed?.block.header.kind !== KIND.verdicts) continue;
    found.push(...committed.block.leaves.map((one) => verdictCodec.decode(decodeLeaf(one).body)));
  }
  return found;
}

function named({ meters }: CaseView): string[] {
  return meters.map(({ meter, fault }) => `${meter} ${fault}`).sort();
}

function kgcbpOf(town: Town): NonNullable<Town["kgcbp"]> {
  if (town.kgcbp === undefined) throw new Error("KGCBP is stopped");
  return town.kgcbp;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isVeilgridError(error)) return error.code;
    throw error;
  }
  return "fine";
}

describe("KGCBP's cases", function () {
  this.timeout(60_000);

  it("name exactly the meters that were silent, half, repeated or implausible, and close with their verdict", async () => {
    const town = await townOf();
    await commit(town, at(1438), {});
    await commit(town, at(1439), { a: "silent", c: "half", e: "repeated", g: "implausible", h: "silent" });
    await commit(town, at(1440), {});
    const { cases } = kgcbpOf(town);
    const [one, ...others] = await cases.list();
    expect(others).to.deep.equal([]);
    const view = one as CaseView;
    expect(view.status).to.equal("closed");
    expect(view.period).to.deep.equal(at(1439));
    expect(named(view)).to.deep.equal(["a silent", "c half", "e repeated", "g implausible", "h silent"]);
    const due = { region: 1, period: at(1439), silent: 2, orphan: 1, implausible: 1, conflict: 1, ref: view.ref };
    expect(await verdicts(town)).to.deep.equal([due]);
    expect(await town.view.fault(1, at(1439))).to.equal(undefined);
    // What must not count is excluded from the release: the sum is that of the others.
    const price = await town.view.price(1, at(1439));
    const counted = town.homes.filter(({ enrolment: { meter } }) => !"acegh".includes(meter));
    const sum = counted.reduce((all, home) => all + (consumption(home, at(1439)) as bigint), 0n);
    expect(price).to.deep.include({ basis: BASIS.measured, consumption: sum });
  });

  it("are findings without a verdict where the block reports no fault", async () => {
    const town = await townOf();
    await commit(town, at(1438), { b: "implausible", d: "repeated" });
    const [view] = (await kgcbpOf(town).cases.list()) as [CaseView];
    expect(view.status).to.equal("finding");
    expect(named(view)).to.deep.equal(["b implausible", "d repeated"]);
    expect(view.ref).to.equal(undefined);
    expect(await verdicts(town)).to.deep.equal([]);
    expect(town.committee.pending.size).to.equal(0);
  });

  it("have refs that nobody maps to a meter without the case key, fresh for each case", async () => {
    const town = await townOf();
    await commit(town, at(1438), { a: "silent" });
    await commit(town, at(1439), { a: "silent" });
    const [first, second] = (await verdicts(town)) as [Verdict, Verdict];
    expect(toHex(first.ref)).not.to.equal(toHex(second.ref));
    const { enrolment, monthKey } = town.homes[0] as Home;
    const seeds = deriveSeeds(monthKey, await town.view.consortium(), MARCH);
    const known = [monthKey, seeds.s0, seeds.s1, seeds.r0, seeds.r1, await town.view.consortium()];
    const tried = known.map((key) => toHex(caseRef(key, enrolment.bid)));
    expect(tried).not.to.include(toHex(first.ref));
    expect(town.logged.filter((line) => line.includes(toHex(enrolment.bid)))).to.deep.equal([]);
  });

  it("get the same verdict from a KGCBP that died between case and verdict", async () => {
    const bytes: string[] = [];
    for (const dies of [false, true]) {
      const town = await townOf();
      // Nobody takes the verdict before KGCBP is dead.
      if (dies) for (const da of SECRETS.da.keys()) town.committee.down.add(da);
      await commit(town, at(1438), { c: "half" });
      if (dies) {
        expect((await kgcbpOf(town).cases.list()).map(({ status }) => status)).to.deep.equal(["open"]);
        expect(await verdicts(town)).to.deep.equal([]);
        town.stopKgcbp();
        town.committee.down.clear();
        await town.startKgcbp();
        await town.settle();
      }
      expect((await kgcbpOf(town).cases.list()).map(({ status }) => status)).to.deep.equal(["closed"]);
      bytes.push((await verdicts(town)).map((one) => toHex(verdictCodec.encode(one))).join());
    }
    expect(bytes[0]).to.have.length(2 * 48);
    expect(bytes[1]).to.equal(bytes[0]);
  });

  it("that were missed while KGCBP was away are opened at its start, and none is sent twice", async () => {
    const town = await townOf();
    town.stopKgcbp();
    await commit(town, at(1438), { c: "half" });
    await town.startKgcbp();
    await town.settle();
    expect(await verdicts(town)).to.have.length(1);
    town.stopKgcbp();
    await town.startKgcbp();
    await town.settle();
    expect(await verdicts(town)).to.have.length(1);
    expect(town.committee.pending.size).to.equal(0);
  });

  it("are overdue after verdictDays", async () => {
    const town = await townOf();
    for (const da of SECRETS.da.keys()) town.committee.down.add(da);
    await commit(town, at(1438), { c: "half" });
    const { cases } = kgcbpOf(town);
    const [{ dueAt, reportedAt }] = (await cases.list()) as [CaseView];
    expect(dueAt - reportedAt).to.equal(7 * DAY_MS);
    await town.clock.run(dueAt - 1);
    expect((await cases.of(1, at(1438))).status).to.equal("open");
    await town.clock.run(dueAt);
    expect((await cases.of(1, at(1438))).status).to.equal("overdue");
    expect(await codeOf(cases.of(1, at(1439)))).to.equal("no-case");
  });
});

/** A meter's log of a period: what it read, and what came back. */
function logged(wh: bigint | undefined, back: Partial<LoggedPeriod> = {}): LoggedPeriod {
  return { consumption: wh, proofs: [undefined, undefined], refusals: [], ...back };
}

describe("KGCBP's comparison of a meter's log", function () {
  this.timeout(60_000);
  let town: Town;
  let home: Home;
  let consortium: Uint8Array;
  const period = at(1438);
  const wh = (): bigint => consumption(home, period) as bigint;

  before(async () => {
    town = await townOf();
    home = town.homes[2] as Home;
    consortium = await town.view.consortium();
    await commit(town, period, { c: "half", d: "repeated", e: "implausible" });
  });

  /** Reading ‖ sig of the half that is missing, as the meter's key makes it. */
  function reading(value = wh()): Uint8Array {
    const seeds = deriveSeeds(home.monthKey, consortium, MARCH);
    const [t, z, z2] = [leaf(seeds.s1, period.k), leaf(seeds.r0, period.k), leaf(seeds.r1, period.k)];
    const body = { region: 1, period, prid: pridOf(t), rc: splitReading(value, z, z2).rc2 };
    return encodeSigned(signStruct("reading", consortium, readingCodec, body, readingSecret(t)));
  }

  function refusal(change: Partial<Answer> = {}, secret = SECRETS.da[1] as Uint8Array): LoggedPeriod["refusals"][0] {
    const { closes } = window(period, params);
    const answer: Answer = {
      params: 1,
      da: 1,
      class: 4,
      code: 17,
      readingHash: readingHash(reading()),
      now: BigInt(closes),
      retryAfterMs: 0,
      ...change,
    };
    return {
      half: 1,
      da: answer.da,
      answer: encodeSigned(signStruct("answer", consortium, answerCodec, answer, secret)),
    };
  }

  /** Acks of the first Q aggregators over the reading alone. */
  function receipt(of = reading()): { reading: Uint8Array; receipt: Uint8Array } {
    const root = merkleRoot([readingHash(of)]);
    const acks = [0, 1, 3].map((da) => ({
      ...signStruct(
        "ack",
        consortium,
        ackCodec,
        { params: 1, da, region: 1, period, count: 1, root },
        SECRETS.da[da] as Uint8Array,
      ),
      index: 0,
      path: [],
    }));
    return { reading: of, receipt: encodeReceipt(acks) };
  }

  async function found(log: LoggedPeriod, meter = "c"): Promise<unknown> {
    const view = await kgcbpOf(town).cases.compare(1, period, (name) => (name === meter ? log : undefined));
    const finding = view.meters.find((one) => one.meter === meter)?.finding;
    return finding && [finding.reason, finding.blame, [...finding.das]];
  }

  it("blames the meter that has no reading, or whose reading reached nobody", async () => {
    expect(await found(logged(undefined))).to.deep.equal(["no-reading", "meter", []]);
    expect(await found(logged(wh()))).to.deep.equal(["undelivered", "meter", []]);
  });

  it("blames the meter that was late by an aggregator's own signed clock, and the aggregator whose clock says otherwise", async () => {
    expect(await found(logged(wh(), { refusals: [refusal()] }))).to.deep.equal(["refused", "meter", []]);
    const early = refusal({ now: BigInt(window(period, params).closes) - 1n });
    expect(await found(logged(wh(), { refusals: [refusal(), early] }))).to.deep.equal([
      "wrongly-refused",
      "aggregators",
      [1],
    ]);
  });

  it("blames an aggregator that called a good reading unknown, malformed or forged", async () => {
    for (const code of [16, 18, 19]) {
      const log = logged(wh(), { refusals: [refusal({ code })] });
      expect(await found(log), String(code)).to.deep.equal(["wrongly-refused", "aggregators", [1]]);
    }
    expect(await found(logged(wh(), { refusals: [refusal({ code: 32, class: 5 })] }))).to.deep.equal([
      "refused",
      "meter",
      [],
    ]);
  });

  it("takes no forged refusal, nor one of another reading, nor one of a half that is there", async () => {
    const none = ["undelivered", "meter", []];
    expect(await found(logged(wh(), { refusals: [refusal({ code: 18 }, SECRETS.cc)] }))).to.deep.equal(none);
    expect(await found(logged(wh(), { refusals: [refusal({ code: 18, da: 2 })] }))).to.deep.equal(none);
    const other = refusal({ code: 18, readingHash: readingHash(reading(wh() + 1n)) });
    expect(await found(logged(wh(), { refusals: [other] }))).to.deep.equal(none);
    expect(await found(logged(wh(), { refusals: [{ ...refusal({ code: 18 }), half: 0 }] }))).to.deep.equal(none);
    const cut = { ...refusal({ code: 18 }), answer: new Uint8Array(3) };
    expect(await found(logged(wh(), { refusals: [cut] }))).to.deep.equal(none);
  });

  it("convicts the voters who had acked a reading that is not in the block", async () => {
    // Voters are 0, 1 and 2: DA 3 acked, but did not vote.
    const log = logged(wh(), { proofs: [undefined, receipt()] });
    expect(await found(log)).to.deep.equal(["receipted", "aggregators", [0, 1]]);
    const view = await kgcbpOf(town).cases.of(1, period);
    expect(view.meters.find(({ meter }) => meter === "c")?.finding?.receipts).to.deep.equal([receipt()]);
  });

  it("takes no receipt of other bytes, or that does not verify", async () => {
    const none = ["undelivered", "meter", []];
    expect(await found(logged(wh(), { proofs: [undefined, receipt(reading(7n))] }))).to.deep.equal(none);
    const spoilt = receipt();
    spoilt.receipt[60] = (spoilt.receipt[60] as number) ^ 1;
    expect(await found(logged(wh(), { proofs: [undefined, spoilt] }))).to.deep.equal(none);
    // A receipt of the half that is in the block says nothing of the other one.
    expect(await found(logged(wh(), { proofs: [receipt(), undefined] }))).to.deep.equal(none);
  });

  it("blames two readings under one key on the meter, a broken register too, and different keys on nobody", async () => {
    expect(await found(logged(5n), "d")).to.deep.equal(["two-readings", "meter", []]);
    expect(await found(logged(200_001n), "e")).to.deep.equal(["register", "meter", []]);
    expect(await found(logged(400n), "e")).to.deep.equal(["other-key", "nobody", []]);
  });

  it("names nobody whose log is not there, and no meter that was complete", async () => {
    const asked: string[] = [];
    const view = await kgcbpOf(town).cases.compare(1, period, (name) => {
      asked.push(name);
      return undefined;
    });
    expect(asked.sort()).to.deep.equal(["c", "d", "e"]);
    expect(named(view)).to.deep.equal(["c half", "d repeated", "e implausible"]);
  });

  it("reads logs from a file, strictly", () => {
    const log = logged(-12n, { proofs: [receipt(), undefined], refusals: [refusal()] });
    const json = meterLogJson({ meter: "c", of: () => log }, [period]);
    const read = parseMeterLog(JSON.stringify(json));
    expect(read.meter).to.equal("c");
    expect(read.of(period)).to.deep.equal(log);
    expect(read.of(at(1439))).to.equal(undefined);
    const bad: [unknown, string][] = [
      [{ ...json, version: 2 }, "version"],
      [{ ...json, bid: "00" }, ""],
      [{ ...json, periods: [{ ...json.periods[0], month: "2026-13" }] }, "periods/0/month"],
      [{ ...json, periods: [{ ...json.periods[0], month: "0001-01" }] }, "periods/0/month"],
      [{ ...json, periods: [{ ...json.periods[0], consumptionWh: 5 }] }, "periods/0/consumptionWh"],
    ];
    for (const [wrong, path] of bad) {
      expect(() => parseMeterLog(JSON.stringify(wrong)))
        .to.throw("bad meter log")
        .with.property("facts")
        .that.include({ path });
    }
    expect(() => parseMeterLog("{")).to.throw("it is no JSON");
  });
});

async function bills(town: Town): Promise<Map<string, VerifiedBill>> {
  const committed = await CommittedMonth.open(MARCH, { view: town.view });
  const found = new Map<string, VerifiedBill>();
  for (const { enrolment, identity } of town.homes) {
    const customer = new Customer({ bid: enrolment.bid, identity }, { content: town.content });
    found.set(enrolment.meter, await customer.verify(committed));
  }
  return found;
}

/** What goes wrong, by k. */
const WRONG: Readonly<Record<number, Parameters<typeof commit>[2]>> = {
  1440: { a: "silent", b: "silent" },
  1442: { a: "half", c: "implausible" },
};

/** The spans in which a meter is eliminated, by its name. */
const ELIMINATED: Readonly<Record<string, readonly Supply[]>> = { c: [{ from: 1392, to: 1440 }] };

/** Every bill verifies, with what was said and the spans of ELIMINATED. */
async function checkBills(town: Town, whOf: (home: Home, k: number) => bigint): Promise<void> {
  const found = await bills(town);
  for (const home of town.homes) {
    const { differences, report } = found.get(home.enrolment.meter) as VerifiedBill;
    const { from, to } = report.supply;
    expect(differences).to.deep.equal([]);
    const eliminated = ELIMINATED[home.enrolment.meter] ?? [];
    expect(report.eliminated).to.deep.equal(eliminated);
    expect(report.seedLeaves).to.have.length(1);
    expect(report.feedback.missing).to.equal(48 * eliminated.length);
    const due = Array.from({ length: to - from }, (_, i) => Number(whOf(home, from + i)));
    expect(report.columns.consumptionWh).to.deep.equal(due);
  }
}

/** How many meters the epoch of a period of March counts. */
async function metersAt(town: Town, k: number): Promise<number | undefined> {
  return (await town.view.epochAt(1, at(k)))?.epoch.meters;
}

describe("penalties and eliminations", function () {
  this.timeout(60_000);

  it("charge the meters that are blamed, each with the verdict on the ledger", async () => {
    const town = await townOf({ tariff: parseTariff({ minorDigits: 2, faultPenalty: 5_000_000_000 }) });
    for (let { k } = FIRST; k < END.k; k += 1) {
      await commit(town, at(k), WRONG[k] ?? {});
    }
    const { cases } = kgcbpOf(town);
    // B's reading was receipted by nobody, but its log is not there yet; A's is, for both periods.
    for (const k of [1440, 1442])
      await cases.compare(1, at(k), (meter) => (meter === "a" ? logged(undefined) : undefined));
    await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
    const all = await bills(town);
    for (const [meter, { differences, report }] of all) {
      expect(differences, meter).to.deep.equal([]);
      const nano = report.lines.find(({ name }) => name === "penalty")?.nano;
      expect(nano, meter).to.equal(meter === "a" ? "10000000000" : "0");
    }
    expect(all.get("a")?.report.penalties?.k).to.deep.equal([1440, 1442]);
    expect(all.get("c")?.report.feedback.missing).to.equal(1);
  });

  it("leave a meter out from the next epoch not yet sent and let it in again, with every sum and bill exact", async () => {
    const [from, to] = [at(1388), at(1444)];
    const names = ["a", "b", "c", "d", "e", "f"];
    const homes = await Promise.all(names.map((name) => homeOf(name, 1, from, to)));
    // 10:30 on 29 March: the epoch of its last two hours is sent, that of the 30th is not.
    const town = await townOf({ homes, start: Date.UTC(2026, 2, 29, 10, 30) });
    const isOut = ({ enrolment }: Home, k: number): boolean => enrolment.meter === "c" && k >= 1392 && k < 1440;
    const said: Consumption = (home, period) => (isOut(home, period.k) ? undefined : consumption(home, period));
    const whOf = (home: Home, k: number): bigint => said(home, at(k)) ?? 0n;
    const { elimination } = kgcbpOf(town);
    const preview = await elimination.eliminate("c", { dryRun: true });
    expect(preview).to.deep.equal({ meter: "c", regions: [1], from: at(1392) });
    expect(await codeOf(elimination.reinstate("c"))).to.equal("not-eliminated");
    expect(await codeOf(elimination.eliminate("c", { from: at(1391) }))).to.equal("period-sent");
    expect(await codeOf(elimination.eliminate("x"))).to.equal("unknown-meter");
    expect(await elimination.eliminate("c")).to.deep.equal(preview);
    expect(await codeOf(elimination.eliminate("c"))).to.equal("already-eliminated");
    await town.periods(from, 24, said);
    // 10:00 on 30 March. A restart knows it still.
    town.stopKgcbp();
    await town.startKgcbp();
    const again = kgcbpOf(town).elimination;
    expect(await codeOf(again.reinstate("c", { from: at(1439) }))).to.equal("period-sent");
    expect((await again.reinstate("c")).from).to.deep.equal(at(1440));
    await town.periods(at(1412), 32, said);
    await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);

    expect(await kgcbpOf(town).cases.list()).to.deep.equal([]);
    const meters = await Promise.all([1391, 1392, 1439, 1440].map((k) => metersAt(town, k)));
    expect(meters).to.deep.equal([6, 5, 5, 6]);
    for (let { k } = from; k < to.k; k += 1) {
      const sum = homes.reduce((total, home) => total + whOf(home, k), 0n);
      const price = await town.view.price(1, at(k));
      expect(price, String(k)).to.deep.include({ basis: BASIS.measured, consumption: sum });
    }
    await checkBills(town, whOf);
  }).timeout(180_000);

  it("can be called off before they hold, and be set for a later period", async () => {
    // At 11:00 on 30 March its own epoch is sent, and the one of the 31st is not.
    const town = await townOf({ start: NOON - 3_600_000 });
    const { elimination } = kgcbpOf(town);
    const { from } = await elimination.eliminate("a", { from: at(1442) });
    expect(from).to.deep.equal(at(1442));
    expect((await elimination.reinstate("a")).from).to.deep.equal(at(1440));
    expect(await codeOf(elimination.reinstate("a"))).to.equal("not-eliminated");
    await elimination.eliminate("b", { from: at(1442) });
    await elimination.reinstate("b", { from: at(1444) });
    await town.periods(FIRST, 8, (home, period) =>
      home.enrolment.meter === "b" && period.k >= 1442 && period.k < 1444 ? undefined : consumption(home, period),
    );
    // Epochs end where a meter leaves or comes back.
    expect((await town.view.epochs(1, MARCH)).map(({ k, periods }) => [k, periods])).to.deep.equal([
      [1438, 2],
      [1440, 2],
      [1442, 2],
      [1444, 2],
    ]);
    expect((await town.view.epochAt(1, at(1442)))?.epoch.meters).to.equal(9);
    expect(await kgcbpOf(town).cases.list()).to.deep.equal([]);
  });
});
