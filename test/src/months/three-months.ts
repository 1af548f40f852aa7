import { equalBytes, isVeilgridError, KIND, quorum, samePeriod, type Period } from "@veilgrid/protocol";
import { conclude, proposeParams, type Outcome, type Run, type RunChange, type World } from "@veilgrid/gateway";
import { auditOf } from "../world/small-run.js";
import { rowsOf } from "../world/tables.js";
import { seenBills } from "./bills.js";
import { signedUnder, type SignedUnder } from "./keys.js";
import { consumed, expectedPeriods, suppliedPeriod, type MonthsPlan } from "./plan.js";
import { brokenReceipts, honestReceipts, judged, wrongKeyReceipt, type KeptReceipt } from "./receipts.js";

/** Something must hold; `figure` says how much of it was looked at, or what was found instead. */
export type Check = (what: string, holds: boolean, figure: string) => void;

/** How the months are lived through. */
export interface MonthsOptions {
  /** What the organisations do on their channel before a version with one more of them is proposed; no world is open. */
  readonly beforeJoin?: (msp: string) => Promise<void>;
  readonly onProgress?: (text: string) => void;
}

/** Flat, in micro-units. */
const PRICE = 250_000n;
/** The aggregator whose key is rotated, and the one that joins. */
const [ROTATED, JOINS] = [1, 4];

/**
 * Three consecutive months of a run: new keys in the second, one more aggregator in the third, the first one closed and
 * erased by then. After each month everything that was ever promised is looked at again. Each step opens the world and
 * closes it: what it does not find in the folder and on the ledger is gone. The run may be on Fabric (`beginRun` with
 * `ledger: "fabric"` and a profile, its params.bin deployed): `beforeJoin` is where the channel takes the new organisation.
 */
export class ThreeMonths {
  readonly #run: Run;
  readonly #plan: MonthsPlan;
  readonly #check: Check;
  readonly #options: MonthsOptions;
  readonly #receipts: KeptReceipt[] = [];
  /** By month, the total and the hash of the report of each home's bill when it was new. */
  readonly #bills = new Map<number, readonly string[]>();

  constructor(run: Run, plan: MonthsPlan, check: Check, options: MonthsOptions = {}) {
    this.#run = run;
    this.#plan = plan;
    this.#check = check;
    this.#options = options;
  }

  /** All of it. */
  async live(): Promise<void> {
    await this.first();
    await this.second();
    await this.third();
    await this.end();
  }

  /** The first month, to its bills. */
  async first(): Promise<void> {
    const [month] = this.#plan.months;
    await this.#inWorld(async (world) => {
      await this.#supply(world);
      await this.#billed(world, month);
    });
    await this.#look(0);
  }

  /** New keys of an aggregator, of CC and of KGCBP in the second month, which goes on to its bills. */
  async second(): Promise<void> {
    const [, month] = this.#plan.months;
    await this.#inWorld((world) => this.#committed(world, 1));
    await this.#adopt([
      { what: "rotate", party: ROTATED },
      { what: "rotate", party: "cc" },
      { what: "rotate", party: "kgcbp" },
      // So that the first month is closed when the third one begins.
      { what: "set", values: { closeMonths: 1 } },
    ]);
    await this.#inWorld(async (world) => {
      const { version, da, cc, kgcbp } = world.params;
      const before = await world.view.params(1);
      const changed = [da[ROTATED]?.key, cc.key, kgcbp.key].filter((key, i) => {
        const old = [before.da[ROTATED]?.key, before.cc.key, before.kgcbp.key][i];
        return key !== undefined && old !== undefined && !equalBytes(key, old);
      });
      this.#check(`version 2 is in force with new keys`, version === 2 && changed.length === 3, `version ${version}`);
      await this.#billed(world, month);
    });
    await this.#look(1);
  }

  /** The first month is closed and erased; one more aggregator joins in the third month, which goes on to its bills. */
  async third(): Promise<void> {
    const [first, , month] = this.#plan.months;
    await this.#inWorld((world) => this.#closed(world, first));
    await this.#inWorld((world) => this.#erased(world, first));
    await this.#seen([0, 1], "closed and erased");
    await this.#inWorld((world) => this.#committed(world, 2));
    await this.#adopt([{ what: "add-da" }]);
    await this.#inWorld(async (world) => {
      const { da, version } = world.params;
      const figure = `version ${version}, W = ${da.length}, Q = ${quorum(da.length)}`;
      this.#check("a fifth aggregator takes part", figure === "version 3, W = 5, Q = 4", figure);
      await this.#billed(world, month);
      const [meter] = this.#plan.csv.households as [string];
      const logged = [0, 1].map((n) => world.meterLog(meter, suppliedPeriod(this.#plan, n, 0)));
      const kept = (await Promise.all(logged)).map((log) => log !== undefined).join();
      this.#check("the meters have forgotten the first month, and no other", kept === "false,true", kept);
    });
    await this.#look(2);
  }

  /** What the run came to, with its first month closed and erased. */
  async end(): Promise<Outcome> {
    const outcome = await this.#inWorld((world) => conclude(this.#run, world, () => undefined));
    const good = outcome.bills.filter(({ verified }) => verified).length;
    const all = 3 * this.#homes;
    this.#check("the run's own tables have every bill verified", good === all, `${good} of ${outcome.bills.length}`);
    const rows = rowsOf(this.#run.folder.periods).map((row) => [row.region, row.period_start, row.meters, row.consumption_wh].join()); // prettier-ignore
    const due = expectedPeriods(this.#plan, this.#run.record.arguments.regions);
    const wrong = rows.findIndex((row, i) => row !== due[i]);
    const figure =
      wrong < 0 ? `${rows.length} of ${due.length}` : `${rows[wrong] ?? ""} for ${due[wrong] ?? "nothing"}`;
    this.#check("they have every regional sum as the file says", wrong < 0 && rows.length === due.length, figure);
    return outcome;
  }

  get #homes(): number {
    return this.#plan.csv.households.length;
  }

  get #regions(): number[] {
    return Array.from({ length: this.#run.record.arguments.regions }, (_, i) => 1 + i);
  }

  async #inWorld<T>(work: (world: World) => Promise<T>): Promise<T> {
    const world = await this.#run.world();
    try {
      return await work(world);
    } finally {
      await world.close();
    }
  }

  /** Nobody counts but in the half-hours of supply: no epoch covers the others. The keys go on, month by month. */
  async #supply({ kgcbp: { elimination } }: World): Promise<void> {
    for (const n of [0, 1]) {
      const [from, to] = [suppliedPeriod(this.#plan, n, this.#plan.periods), suppliedPeriod(this.#plan, n + 1, 0)];
      if (samePeriod(from, to)) continue;
      for (const meter of this.#plan.csv.households) {
        await elimination.eliminate(meter, { from });
        await elimination.reinstate(meter, { from: to });
      }
    }
  }

  async #reach(world: World, what: string, goal: () => Promise<boolean>): Promise<void> {
    this.#options.onProgress?.(what);
    // Long after whatever is waited for.
    const latest = world.clock.now() + 70 * 86_400_000;
    const stop = await world.advance(async () => {
      if (world.clock.now() > latest) throw new Error(`${what}: the run gets nowhere`);
      return goal();
    });
    if (stop.reason === "ledger-failed") throw stop.error;
    if (stop.reason !== "goal") throw new Error(`${what}: the run stopped, ${stop.reason}`);
  }

  async #billed(world: World, month: number): Promise<void> {
    await this.#reach(world, `bills of month ${this.#plan.months.indexOf(month) + 1}`, () => world.billed(month));
  }

  /** Runs on to the half-hour of a month after which its change is made. */
  async #committed(world: World, n: number): Promise<void> {
    const { changeAfter } = this.#plan;
    if (changeAfter === 0) return;
    const last = suppliedPeriod(this.#plan, n, changeAfter - 1);
    await this.#reach(world, `${changeAfter} half-hours`, async () => {
      for (const region of this.#regions) if ((await world.view.price(region, last)) === undefined) return false;
      return true;
    });
  }

  async #adopt(changes: readonly RunChange[]): Promise<void> {
    // "Adding a DA, in this order: channel configuration, chaincode definition …, params block."
    if (changes.some(({ what }) => what === "add-da")) await this.#options.beforeJoin?.(`DA${JOINS}MSP`);
    const leaf = await this.#inWorld((world) => proposeParams(world, changes));
    await this.#inWorld(async (world) => {
      const { version } = world.params;
      for (const { seat, runs } of world.approvals()) if (runs) await world.approveParams(seat, leaf);
      await this.#reach(world, `version ${version + 1}`, () => Promise.resolve(world.params.version > version));
    });
  }

  async #closed(world: World, month: number): Promise<void> {
    await this.#reach(world, "the first month's close", async () => {
      for (const region of this.#regions) if (!(await world.view.monthDeleted(region, month))) return false;
      return true;
    });
    const gone = await bodiesOf(world, this.#regions, month);
    const { blocks, headers } = gone;
    this.#check("the first month's leaves are gone from the state, and its headers not", blocks === 0 && headers > 0, `${blocks} of ${headers}`); // prettier-ignore
  }

  /** KGCBP opens nothing of the month any more. */
  async #erased(world: World, month: number): Promise<void> {
    const { kgcbp } = world;
    const erased = await kgcbp.retention.erase(month, { early: true });
    this.#check("the first month is erased", erased.join() === String(month), `${erased.length} month`);
    const at = suppliedPeriod(this.#plan, 0, 0);
    const [meter] = this.#plan.csv.households as [string];
    const opened = await codeOf(() => kgcbp.outcomes(1, at));
    this.#check("KGCBP opens nothing of it any more", opened === "not-on-ledger", opened);
    const settled = await kgcbp.settling.settle(meter, [{ period: at, wh: 1n }]);
    this.#check("no log of it is settled any more", settled[0]?.status === "erased", settled[0]?.status ?? "nothing");
    const kept = (await kgcbp.retention.list()).map((one) => one.erased);
    this.#check("the months after it are kept", kept.join() === "true,false,false", kept.join());
  }

  /** After a month: everything that was ever promised, of it and of the months before. */
  async #look(n: number): Promise<void> {
    await this.#inWorld((world) => this.#keepReceipts(world, n));
    await this.#seen(
      Array.from({ length: n + 1 }, (_, i) => i),
      `after month ${n + 1}`,
    );
    await this.#inWorld(async (world) => {
      this.#signatures(await signedUnder(world), n);
    });
  }

  async #keepReceipts(world: World, n: number): Promise<void> {
    const [first, last] = [0, this.#plan.periods - 1].map((i) => suppliedPeriod(this.#plan, n, i)) as [Period, Period];
    const region = (home: number): number => 1 + (home % this.#run.record.arguments.regions);
    for (const [home, period] of [
      [0, first],
      [1, last],
    ] as const) {
      this.#receipts.push(...(await honestReceipts(this.#run, world, { home, region: region(home), period })));
      this.#receipts.push(...(await brokenReceipts(this.#run, world, { home, region: region(home), period })));
    }
    const [one, two] = [await world.view.params(1), await world.view.currentParams()];
    if (two.version === 1) return;
    const place = { home: 0, region: region(0), period: last };
    this.#receipts.push(await wrongKeyReceipt(this.#run, world, place, one));
    // And the other way round: the new key never signed for the old month.
    const before = suppliedPeriod(this.#plan, 0, 0);
    this.#receipts.push(await wrongKeyReceipt(this.#run, world, { ...place, period: before }, two));
  }

  async #seen(months: readonly number[], when: string): Promise<void> {
    await this.#inWorld(async (world) => {
      for (const n of months) await this.#seenMonth(world, n, when);
      const said = await judged(world, this.#receipts);
      const others = this.#receipts.filter(({ comes }, i) => said[i] !== comes);
      const figure = others.map(({ name, comes }) => `${name}: not ${comes}`).join("; ");
      this.#check(
        `every receipt says what it said (${when})`,
        others.length === 0,
        figure || `${said.length} receipts`,
      );
      const { audit } = await auditOf(world);
      const found = `${audit.blocks} blocks, ${audit.readings} readings, ${audit.findings.length} findings`;
      this.#check(`an audit finds nothing (${when})`, audit.findings.length === 0, found);
    });
  }

  async #seenMonth(world: World, n: number, when: string): Promise<void> {
    const month = this.#plan.months[n] as number;
    const bills = await seenBills(this.#run, world, month);
    const wrong = bills.filter((bill) => bill.wrong !== undefined);
    const name = `month ${n + 1} (${when})`;
    this.#check(`every bill of ${name} verifies`, wrong.length === 0 && bills.length === this.#homes, wrong[0]?.wrong ?? `${bills.length} bills`); // prettier-ignore
    const untrue = bills.filter(({ report }, home) => {
      const wh = consumed(this.#plan, home, n);
      const energy = report.lines.find((line) => line.name === "energy")?.nano;
      return String(report.feedback.energyWh) !== String(wh) || energy !== String(wh * PRICE);
    });
    this.#check(`every bill of ${name} is what the file says`, untrue.length === 0, untrue[0]?.meter ?? `${bills.length} bills`); // prettier-ignore
    const measured = bills.filter(({ report }) => report.columns.quality.filter((q) => q === 0).length === this.#plan.periods); // prettier-ignore
    this.#check(`each of ${name} has all its half-hours measured`, measured.length === bills.length, `${measured.length}`); // prettier-ignore
    const totals = bills.map(({ report }) => `${report.bid} ${report.total}`);
    const known = this.#bills.get(month) ?? totals;
    this.#bills.set(month, known);
    this.#check(`the bills of ${name} are what they were`, totals.join() === known.join(), `${totals.length} totals`);
  }

  /** Each version's blocks, votes and leaves are signed by its own keys, and by no other that a party had. */
  #signatures(versions: readonly SignedUnder[], n: number): void {
    const astray = versions.reduce((all, one) => all + one.astray, 0);
    const blocks = versions.map((one) => `${one.blocks} under version ${one.version}`).join(", ");
    this.#check("each signature is good under its own version's key alone", astray === 0 && versions.length === n + 1, blocks); // prettier-ignore
    const votes = versions.map((one) => [...one.votes].join("/")).join();
    this.#check("each block has its version's quorum of votes", votes === ["3", "3,3", "3,3,4"][n], votes);
    const newest = versions.at(-1);
    const issued = [KIND.epoch, KIND.masks, KIND.prices, KIND.bills].filter((kind) => !newest?.issued.has(kind));
    this.#check("KGCBP and CC use the newest version's keys", issued.length === 0, `kinds without one: ${issued.join()}`); // prettier-ignore
    const voter = `DA${n === 2 ? JOINS : ROTATED}MSP`;
    this.#check(`${voter} votes under version ${n + 1}`, newest?.voters.has(voter) === true, [...(newest?.voters ?? [])].sort().join()); // prettier-ignore
  }
}

/** How many of a month's blocks have their headers in the state, and how many their leaves. */
async function bodiesOf(
  { view }: World,
  regions: readonly number[],
  month: number,
): Promise<{ readonly headers: number; readonly blocks: number }> {
  let [headers, blocks] = [0, 0];
  for (const region of regions) {
    const { number } = await view.head(region);
    for (let at = 1n; at <= number; at += 1n) {
      const header = (await view.header(region, at))?.header;
      if (header?.period.month !== month) continue;
      headers += 1;
      if ((await view.block(region, at)) !== undefined) blocks += 1;
    }
  }
  return { headers, blocks };
}

async function codeOf(task: () => Promise<unknown>): Promise<string> {
  try {
    await task();
    return "opened";
  } catch (error) {
    if (isVeilgridError(error)) return error.code;
    throw error;
  }
}
