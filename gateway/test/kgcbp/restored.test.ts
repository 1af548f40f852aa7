import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KIND, monthCloses, toHex, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { restore } from "../../src/kgcbp/backup.js";
import { Safe } from "../../src/kgcbp/safe.js";
import { MemoryStore } from "../../src/store/memory.js";
import { decodeTransaction } from "../../src/transport/envelopes.js";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer } from "../../src/customer/customer.js";
import { paramsOf } from "../support/committee.js";
import { Died, dying, type Crash } from "../support/disk.js";
import { homeOf } from "../support/homes.js";
import { MemoryShelf } from "../support/sealed.js";
import { Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const NOON = Date.UTC(2026, 2, 30, 12);
const FIRST: Period = { month: MARCH, k: 1438 };
const END: Period = { month: MARCH, k: 1442 };
const params = paramsOf();
/** In the second period one meter is silent: the release goes with a verdict. */
const consumption: Consumption = ({ enrolment }, { k }) =>
  enrolment.meter === "home 5" && k === FIRST.k + 1 ? undefined : BigInt((enrolment.bid[1] as number) + k);

/**
 * Where it dies: before a write to its stores, which the journal has; in the middle of the journal's own; before a message
 * to an aggregator, or from one.
 */
type Step = "stored" | "journaled" | "message";

/** KGCBP's machines, of which one burns down at a time, its backup and its vault. */
class Site {
  readonly town: Town;
  readonly folder: string;
  readonly shelf = new MemoryShelf();
  /** Each different leaf of a release or a verdict that aggregators were sent, by what it is about. */
  readonly releases = new Map<string, Set<string>>();
  #machine = { keys: new MemoryStore(), work: new MemoryStore() };
  #safe: Safe | undefined;
  #crash: Crash = { after: Infinity, writes: 0 };
  /** How many messages to or from KGCBP it lives to see. */
  #messages = Infinity;

  private constructor(town: Town, folder: string) {
    this.town = town;
    this.folder = folder;
    town.network.drop(({ method, direction, from, to, bytes }) => {
      if (from === "kgcbp" || to === "kgcbp") this.#message();
      if (method === "transaction" && direction === "request") this.#note(bytes);
      return false;
    });
  }

  static async open(folder: string): Promise<Site> {
    const homes = await Promise.all(Array.from({ length: 6 }, (_, i) => homeOf(`home ${i}`, 1, FIRST, END)));
    const site = new Site(new Town({ homes, params, start: NOON }), folder);
    await site.town.committee.setUp();
    await site.#start();
    return site;
  }

  #note(request: Uint8Array): void {
    const { kind, leaf } = decodeTransaction(request);
    if (kind !== KIND.masks && kind !== KIND.verdicts) return;
    const period = `${kind} ${toHex(leaf.subarray(0, 8))}`;
    this.releases.set(period, (this.releases.get(period) ?? new Set()).add(toHex(leaf)));
  }

  #message(): void {
    if (this.#messages <= 0) throw new Died();
    this.#messages -= 1;
  }

  async #start(): Promise<void> {
    const { keys, work } = this.#machine;
    const crash = (this.#crash = { after: Infinity, writes: 0 });
    const safe = await Safe.open({
      keys: { store: dying(keys, crash), sync: true },
      work: { store: dying(work, crash), sync: true },
      shelf: this.shelf,
      backup: { folder: this.folder, consortium: await this.town.view.consortium() },
    });
    this.#safe = safe;
    for (const { enrolment, monthKey } of this.town.homes) await safe.keys.enrol(enrolment, monthKey);
    await this.town.startKgcbpOn(safe.keys, safe.work);
    await this.town.startCc();
  }

  copy(): Promise<unknown> {
    return (this.#safe as Safe).backup.copy();
  }

  /** From here on it has so many writes, or messages, to live. */
  dieAfter(step: Step, count: number): void {
    if (step === "message") this.#messages = count;
    else this.#crash.after = this.#crash.writes + count;
  }

  /** The end of the journal is not on the disk: the write at which it died. */
  tear(): void {
    const segment = join(this.folder, readdirSync(this.folder).filter((name) => name.startsWith("journal-")).sort().at(-1) as string); // prettier-ignore
    truncateSync(segment, statSync(segment).size - 1);
  }

  /** The machine is gone, with all that it had; so is CC's process, which has nothing to lose. */
  async burn(): Promise<void> {
    this.#messages = Infinity;
    this.town.stopKgcbp();
    this.town.stopCc();
    await this.#safe?.close();
    this.#machine = { keys: new MemoryStore(), work: new MemoryStore() };
  }

  async restore(): Promise<void> {
    await restore({ folder: this.folder, consortium: await this.town.view.consortium() }, { ...this.#machine });
    await this.#start();
  }

  /** What the ledger says of the periods' releases and bills. */
  async outcome(): Promise<unknown> {
    const { view, homes, content } = this.town;
    const masks: unknown[] = [];
    for (let { k } = FIRST; k < END.k; k += 1) masks.push(await view.maskBody(1, { month: MARCH, k }));
    const month = await CommittedMonth.open(MARCH, { view });
    const bills: unknown[] = [];
    for (const { enrolment, identity } of homes) {
      const { verified, report } = await new Customer({ bid: enrolment.bid, identity }, { content }).verify(month);
      bills.push([verified, report.total]);
    }
    return { masks, bills };
  }

  sent(): string[] {
    return [...this.releases].map(([period, leaves]) => `${period} ${[...leaves].join(" ")}`).sort();
  }
}

function dead(error: unknown): boolean {
  // The clock tells in which action it was.
  if (error instanceof Died || (error as Error).cause instanceof Died) return false;
  throw error;
}

/** All periods to the bills; `second` is what happens to the second one. */
async function run(site: Site, second: () => Promise<void>): Promise<void> {
  const { town } = site;
  await town.settle();
  await town.periods(FIRST, 1, consumption);
  await second();
  await town.periods({ ...FIRST, k: FIRST.k + 2 }, 2, consumption);
  await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
}

describe("KGCBP, killed at every step of a release and restored on a new machine", function () {
  this.timeout(120_000);
  let folder: string;
  let undisturbed: { outcome: unknown; sent: readonly string[] };
  const next: Period = { ...FIRST, k: FIRST.k + 1 };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "veilgrid-restored-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("(undisturbed, each period has one release)", async () => {
    const site = await Site.open(folder);
    await run(site, () => site.town.periods(next, 1, consumption));
    undisturbed = { outcome: await site.outcome(), sent: site.sent() };
    await site.burn();
    // Four releases and a verdict, each of them the same bytes to all aggregators and whenever they were repeated.
    expect(undisturbed.sent).to.have.lengthOf(5);
    for (const leaves of site.releases.values()) expect(leaves.size).to.equal(1);
  });

  /** Lives through the month once, dying so far into the second period; says whether it got to its end. */
  async function livesThrough(step: Step, count: number): Promise<boolean> {
    rmSync(folder, { recursive: true });
    const site = await Site.open(folder);
    await site.copy();
    let survived = false;
    await run(site, async () => {
      site.dieAfter(step, count);
      survived = await site.town.periods(next, 1, consumption).then(() => true, dead);
      await site.burn();
      if (step === "journaled" && !survived) site.tear();
      await site.restore();
      await site.town.settle();
      if ((await site.town.view.readings(1, next)) === undefined) await site.town.periods(next, 1, consumption);
    });
    const when = `${step}, after ${count}`;
    expect(site.sent(), when).to.deep.equal(undisturbed.sent);
    expect(await site.outcome(), when).to.deep.equal(undisturbed.outcome);
    await site.burn();
    return survived;
  }

  // Settlement and case are written; then release and verdict go to four aggregators, and each answers.
  const STEPS: readonly (readonly [Step, number])[] = [["stored", 2], ["journaled", 2], ["message", 16]]; // prettier-ignore

  for (const [step, deaths] of STEPS) {
    it(`from yesterday's base copy and the journal, signs the same bytes, once (${step})`, async () => {
      let count = 0;
      while (!(await livesThrough(step, count))) count += 1;
      expect(count).to.equal(deaths);
    });
  }
});
