import {
  addPeriods,
  comparePeriods,
  periodEnd,
  periodStart,
  window,
  type Params,
  type ParamsChange,
  type Period,
  type Tariff,
  DEFAULT_TARIFF,
} from "@veilgrid/protocol";
import { ControlCenter } from "../../src/cc/cc.js";
import { FlatPolicy, type PricePolicy } from "../../src/input/policy.js";
import { StoredKeys } from "../../src/kgcbp/keys.js";
import { Kgcbp } from "../../src/kgcbp/kgcbp.js";
import type { SealedStore } from "../../src/kgcbp/sealed-store.js";
import type { ContentAddress, ContentStore } from "../../src/ports/content.js";
import { rawAddress } from "../../src/ipfs/address.js";
import type { Log } from "../../src/ports/log.js";
import type { LedgerEvent } from "../../src/ports/ledger.js";
import type { Random } from "../../src/ports/random.js";
import type { Store } from "../../src/ports/store.js";
import { SimNetwork } from "../../src/sim/network.js";
import { Scheduler } from "../../src/sim/scheduler.js";
import { MemoryStore } from "../../src/store/memory.js";
import { H1, sha256, toHex, utf8 } from "@veilgrid/protocol";
import { Committee, SECRETS, secretOf } from "./committee.js";
import { readingsOf, type Home } from "./homes.js";
import { MemoryShelf, keysOf, sealed } from "./sealed.js";

/** Keys that a later version may name. */
export const LATER = { cc: secretOf("cc later"), kgcbp: secretOf("kgcbp later") };

/** Content by address, in memory. */
export class MemoryContent implements ContentStore {
  readonly blocks = new Map<string, Uint8Array>();

  put(bytes: Uint8Array): Promise<ContentAddress> {
    const address = rawAddress(sha256(bytes));
    this.blocks.set(toHex(address.cid), bytes);
    return Promise.resolve(address);
  }

  get(cid: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(this.blocks.get(toHex(cid)) ?? new Uint8Array());
  }
}

/** Randomness that follows from labels alone. */
export const random: Random = {
  bytes: (count, ...labels) => H1("veilgrid/1/test/random", utf8(labels.join("/"))).subarray(0, count),
  below: (limit, ...labels) => (H1("veilgrid/1/test/random", utf8(labels.join("/")))[0] as number) % limit,
};

/** What a home consumes in a period; undefined where its meter says nothing. */
export type Consumption = (home: Home, period: Period) => bigint | undefined;

export interface TownOptions {
  readonly homes: readonly Home[];
  readonly params: Params;
  /** Unix milliseconds. */
  readonly start: number;
  readonly policy?: PricePolicy;
  readonly tariff?: Tariff;
}

/** KGCBP and CC as they are, with a committee and meters around them, on virtual time. */
export class Town {
  readonly homes: readonly Home[];
  readonly clock: Scheduler;
  readonly network: SimNetwork;
  readonly committee: Committee;
  /** KGCBP's, as it lies on the disk. */
  readonly store = new MemoryStore();
  /** The vault's keys, which open what is sealed in the store. */
  readonly shelf = new MemoryShelf();
  readonly content = new MemoryContent();
  readonly policy: PricePolicy;
  readonly tariff: Tariff;
  /** Everything that KGCBP and CC logged. */
  readonly logged: string[] = [];
  kgcbp: Kgcbp | undefined;
  cc: ControlCenter | undefined;
  /** While it is, the committee commits nothing that KGCBP and CC send. */
  isIdle = false;
  #delivered = 0;

  constructor(options: TownOptions) {
    this.homes = options.homes;
    this.committee = new Committee(options.params);
    this.clock = new Scheduler(options.start);
    this.network = new SimNetwork({ latency: { minMs: 5, maxMs: 5 } }, { clock: this.clock, random });
    for (const i of SECRETS.da.keys()) this.network.listen(`da/Da${i}`, this.committee.handler(i));
    this.policy = options.policy ?? new FlatPolicy(250_000n);
    this.tariff = options.tariff ?? DEFAULT_TARIFF;
  }

  readonly #log: Log = (level, event, facts) => {
    this.logged.push(`${level} ${event} ${JSON.stringify(facts)}`);
  };

  get view(): Committee["view"] {
    return this.committee.view;
  }

  async setUp(): Promise<void> {
    await this.committee.setUp();
    const keys = await keysOf(await this.view.consortium(), this.store, this.shelf);
    for (const { enrolment, monthKey } of this.homes) await keys.enrol(enrolment, monthKey);
    await this.startKgcbp();
    await this.startCc();
  }

  /** A KGCBP on the town's store: also after a crash. */
  async startKgcbp(kept: Store = this.store): Promise<void> {
    const consortium = await this.view.consortium();
    const store = await sealed(consortium, kept, this.shelf);
    await this.startKgcbpOn(new StoredKeys(store, consortium), store);
  }

  /** A KGCBP on these stores. */
  async startKgcbpOn(keys: StoredKeys, store: SealedStore): Promise<void> {
    const { clock, view, content } = this;
    const transport = this.network.transport("kgcbp");
    const options = {
      secret: SECRETS.kgcbp,
      otherSecrets: [LATER.kgcbp],
      tariff: this.tariff,
      timeZone: "UTC",
      seed: random,
    };
    this.kgcbp = await Kgcbp.open(options, { clock, transport, store, view, keys, content, log: this.#log });
    await this.kgcbp.start();
  }

  async startCc(): Promise<void> {
    const transport = this.network.transport("cc");
    const { clock, view, policy } = this;
    this.cc = new ControlCenter(
      { secret: SECRETS.cc, otherSecrets: [LATER.cc], policy },
      { clock, transport, view, log: this.#log },
    );
    await this.cc.start();
  }

  stopKgcbp(): void {
    this.kgcbp?.stop();
    this.kgcbp = undefined;
  }

  stopCc(): void {
    this.cc?.stop();
    this.cc = undefined;
  }

  /** Lets messages through and commits what they brought, until nothing moves any more. */
  async settle(): Promise<void> {
    for (;;) {
      await this.clock.run(this.clock.now() + 100);
      const events = this.isIdle ? [] : await this.committee.commitPending(this.clock.now());
      await this.#deliver();
      if (events.length === 0) return;
    }
  }

  /** Another version is in force, with the keys that are to come for those that are named. */
  async adopt(changes: readonly ParamsChange[], secrets: readonly Uint8Array[]): Promise<void> {
    await this.committee.adopt(changes, secrets, this.clock.now());
    await this.#deliver();
    await this.settle();
  }

  async #deliver(): Promise<void> {
    const news: LedgerEvent[] = this.committee.events.slice(this.#delivered);
    this.#delivered = this.committee.events.length;
    for (const event of news) {
      await this.kgcbp?.onLedgerEvent(event);
      await this.cc?.onLedgerEvent(event);
    }
  }

  /** Runs to a time, committing what is sent every `stepMs`. */
  async runTo(time: number, stepMs = 600_000): Promise<void> {
    while (this.clock.now() < time) {
      await this.clock.run(Math.min(time, this.clock.now() + stepMs));
      await this.settle();
    }
  }

  /** Commits a period's block in a region after its window: with these readings, or those of the homes. */
  async readings(region: number, period: Period, leaves: readonly Uint8Array[]): Promise<void> {
    await this.clock.run(Math.max(this.clock.now(), window(period, this.committee.params).freezes));
    await this.committee.commitReadings(region, period, leaves, this.clock.now());
    await this.#deliver();
    await this.settle();
  }

  /** What the homes of a region send for a period. */
  async leavesOf(region: number, period: Period, consumption: Consumption): Promise<Uint8Array[]> {
    const consortium = await this.view.consortium();
    return this.homes.flatMap((home) => {
      const { enrolment } = home;
      const supplied =
        comparePeriods(enrolment.from, period) <= 0 &&
        (enrolment.to === undefined || comparePeriods(period, enrolment.to) < 0);
      const c = enrolment.region === region && supplied ? consumption(home, period) : undefined;
      return c === undefined ? [] : readingsOf(home, consortium, period, c);
    });
  }

  /** Runs the periods [first, first + count) in all regions. */
  async periods(first: Period, count: number, consumption: Consumption): Promise<void> {
    const { periodSeconds } = this.committee.params;
    const regions = [...new Set(this.homes.map(({ enrolment }) => enrolment.region))];
    for (let i = 0; i < count; i += 1) {
      const period = addPeriods(first, i, periodSeconds);
      await this.runTo(periodEnd(period, periodSeconds));
      for (const region of regions) {
        const leaves = await this.leavesOf(region, period, consumption);
        if ((await this.view.epochAt(region, period)) !== undefined) await this.readings(region, period, leaves);
      }
    }
  }

  /** Unix milliseconds of a period's beginning. */
  startOf(period: Period): number {
    return periodStart(period, this.committee.params.periodSeconds);
  }
}
