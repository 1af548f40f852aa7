import { mkdtempSync, rmSync } from "node:fs";
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
const consumption: Consumption = ({ enrolment }, { k }) => BigInt((enrolment.bid[1] as number) + k);

/** KGCBP's machines, of which one burns down at a time, its backup and its vault. */
class Site {
  readonly town: Town;
  readonly folder: string;
  readonly shelf = new MemoryShelf();
  /** Each different leaf of a release that aggregators were sent, by period. */
  readonly releases = new Map<string, Set<string>>();
  #machine = { keys: new MemoryStore(), work: new MemoryStore() };
  #safe: Safe | undefined;
  #crash: Crash = { after: Infinity, writes: 0 };

  private constructor(town: Town, folder: string) {
    this.town = town;
    this.folder = folder;
    town.network.drop(({ method, direction, bytes }) => {
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
    if (kind !== KIND.masks) return;
    const period = toHex(leaf.subarray(0, 8));
    this.releases.set(period, (this.releases.get(period) ?? new Set()).add(toHex(leaf)));
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

  /** From here on it has so many writes to live. */
  dieAfter(writes: number): void {
    this.#crash.after = this.#crash.writes + writes;
  }

  /** The machine is gone, with all that it had; so is CC's process, which has nothing to lose. */
  async burn(): Promise<void> {
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
  if (error instanceof Died) return false;
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
    expect(undisturbed.sent).to.have.lengthOf(4);
    // Each of them the same bytes, to all aggregators and whenever they were repeated.
    for (const leaves of site.releases.values()) expect(leaves.size).to.equal(1);
  });

  it("from yesterday's base copy and the journal, signs the same bytes, once", async () => {
    let [writes, survived] = [0, false];
    for (; !survived; writes += 1) {
      rmSync(folder, { recursive: true });
      const site = await Site.open(folder);
      await site.copy();
      await run(site, async () => {
        site.dieAfter(writes);
        survived = await site.town.periods(next, 1, consumption).then(() => true, dead);
        await site.burn();
        await site.restore();
        await site.town.settle();
        if ((await site.town.view.readings(1, next)) === undefined) await site.town.periods(next, 1, consumption);
      });
      expect(site.sent(), `after ${writes} writes`).to.deep.equal(undisturbed.sent);
      expect(await site.outcome(), `after ${writes} writes`).to.deep.equal(undisturbed.outcome);
      await site.burn();
    }
    // Before its settlement, its case, and when all was done.
    expect(writes).to.equal(3);
  });
});
