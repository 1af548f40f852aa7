import { periodEnd, addPeriods, type BillReport, type Period } from "@veilgrid/protocol";
import { CommittedMonth, ContentFolder, Customer, type CaseView, type Run, type World } from "@veilgrid/gateway";
import { advance, beginRun, concluded, type Finished } from "../world/small-run.js";
import { Faults } from "./faults.js";
import type { Story } from "./story.js";
import { tariffJson } from "./tariff.js";
import { PRICE, type Customer as Supplied, type Terms } from "./truth.js";

/** A moment of a story: in the period n, or before the run begins, where it is undefined. */
export interface Moment {
  readonly n: number | undefined;
  readonly what: string;
  readonly act: (world: World) => Promise<void>;
}

/** How long after a period's end an operator does something: every window is over. */
const AFTER_MS = 1_200_000;

/** What a customer's log came to, by home: how many of its periods had which status. */
export type Settled = ReadonlyMap<number, Readonly<Record<string, number>>>;

export interface LivedMonths {
  readonly finished: Finished;
  /** Of the first month, before its bills were made. */
  readonly cases: readonly CaseView[];
  readonly settled: Settled;
  /** What aggregators said of readings that came too late. */
  readonly late: readonly string[];
}

/** How far it is. */
export type Say = (text: string) => void;

/** Lives two months: what goes wrong and changes, cases before the first bills, logs after them. */
export class Months {
  readonly #story: Story;
  readonly #terms: Terms;
  readonly #say: Say;
  readonly #faults: Faults;

  constructor(story: Story, terms: Terms, say: Say = () => undefined) {
    this.#story = story;
    this.#terms = terms;
    this.#say = say;
    this.#faults = new Faults(story);
  }

  begin(): Promise<Run> {
    const { options } = this.#story;
    return beginRun(this.#story.registers(), {
      regions: options.regions,
      price: `linear:${PRICE.base},${PRICE.slope}`,
      minReleaseMeters: this.#terms.minMeters,
      tariff: tariffJson(this.#terms.rule),
      seed: options.seed,
    });
  }

  #period(run: Run, n: number): Period {
    const { first, periodSeconds } = run.record.input;
    return addPeriods(first, n, periodSeconds);
  }

  #time(run: Run, n: number): number {
    return periodEnd(this.#period(run, n - 1), 1800) + AFTER_MS;
  }

  /** Runs on until something is done, each time in a process of its own: what a meter has become is there in the next. */
  async #do(run: Run, { n, what, act }: Moment): Promise<void> {
    const world = await run.world();
    try {
      this.#faults.begin(world);
      if (n === undefined) await act(world);
      else {
        let isDone = false;
        world.clock.at(this.#time(run, n), what, async () => {
          await act(world);
          isDone = true;
        });
        await this.#advance(world, () => isDone);
      }
      this.#say(what);
    } finally {
      await world.close();
    }
  }

  #advance(world: World, until: () => boolean): Promise<unknown> {
    let day = "";
    return advance(
      world,
      () => {
        const today = new Date(world.clock.now()).toISOString().slice(0, 10);
        if (today !== day) this.#say(today);
        day = today;
      },
      until,
    );
  }

  /** @param settleAt the period of the second month in which the logs are read. */
  async live(run: Run, moments: readonly Moment[], settleAt: number): Promise<LivedMonths> {
    for (const moment of moments) await this.#do(run, moment);
    const cases: CaseView[] = [];
    const settled = new Map<number, Record<string, number>>();
    const world = await run.world();
    try {
      this.#faults.begin(world);
      const { firstMonth } = this.#story;
      const billsBegin = periodEnd(this.#period(run, firstMonth - 1), 1800);
      world.clock.at(billsBegin + 60_000, "cases are compared", async () => {
        cases.push(...(await this.#compare(world)));
      });
      world.clock.at(this.#time(run, settleAt), "logs are read", () => this.#settle(run, world, settled));
      await this.#advance(world, () => false);
      this.#say("bills are on the ledger");
      return { finished: await concluded(run, world), cases, settled, late: this.#faults.answers };
    } finally {
      await world.close();
    }
  }

  async #compare(world: World): Promise<CaseView[]> {
    const views: CaseView[] = [];
    for (const { region, period } of await world.kgcbp.cases.list()) {
      views.push(await world.kgcbp.cases.compare(region, period, (meter, at) => world.meterLog(meter, at)));
    }
    this.#say(`${views.length} cases compared`);
    return views;
  }

  /** Every meter's log of the first month; what its register could not tell was read from it later. */
  async #settle(run: Run, world: World, settled: Map<number, Record<string, number>>): Promise<void> {
    for (let home = 0; home < this.#story.homes; home += 1) {
      const meter = this.#story.name(home);
      const log: { period: Period; wh: bigint }[] = [];
      for (let n = 0; n < this.#story.firstMonth; n += 1) {
        const period = this.#period(run, n);
        const { fault } = this.#story.standing(home, n);
        const known = fault === "unread" || fault === "broken";
        const wh = known ? this.#story.wh(home, n) : (await world.meterLog(meter, period))?.consumption;
        if (wh !== undefined) log.push({ period, wh });
      }
      const counts: Record<string, number> = {};
      for (const { status } of await world.kgcbp.settling.settle(meter, log)) {
        counts[status] = (counts[status] ?? 0) + 1;
      }
      settled.set(home, counts);
    }
    this.#say("logs settled");
  }
}

/** What a log of the first month has to come to: what has no reading is settled, and the ledger has the rest. */
export function dueSettled(story: Story, home: number): Readonly<Record<string, number>> {
  const all = Array.from({ length: story.firstMonth }, (_, n) => story.counted(home, n));
  const measured = all.filter((wh) => wh !== undefined).length;
  return { ...(measured < all.length && { settled: all.length - measured }), ...(measured > 0 && { measured }) };
}

/** A customer's newest reports of both months; undefined where there is none. */
export type Reports = readonly [BillReport | undefined, BillReport | undefined];

/** Opens every customer's bills, in the order of `customers`. */
export async function openReports(run: Run, customers: readonly Supplied[]): Promise<Reports[]> {
  const world = await run.world();
  try {
    const content = await ContentFolder.open(run.folder.ipfs);
    const known = await world.customers();
    const months = await Promise.all(world.months().map((month) => CommittedMonth.open(month, { view: world.view })));
    const all: Reports[] = [];
    for (const { home, name } of customers) {
      const meter = run.record.input.households[home];
      const own = known.find((one) => one.meter === meter && one.name === name);
      if (own === undefined) throw new Error(`nobody is called ${name} at ${String(meter)}`);
      const customer = new Customer({ bid: own.bid, identity: own.key.identity }, { content });
      const reports: (BillReport | undefined)[] = [];
      for (const month of months) {
        reports.push(month.bill(own.bid) === undefined ? undefined : (await customer.open(month)).report);
      }
      all.push([reports[0], reports[1]]);
    }
    return all;
  } finally {
    await world.close();
  }
}
