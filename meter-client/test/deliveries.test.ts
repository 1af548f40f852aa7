import {
  deriveSeeds,
  isVeilgridError,
  leaf,
  periodsInMonth,
  pridOf,
  ratchet,
  readingCodec,
  READING_BYTES,
  toHex,
  window,
  type KeyChain,
  type Period,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { Meter } from "../src/meter.js";
import type { MonthKey } from "../src/monthkeys.js";
import type { MeterChange } from "../src/ports.js";
import {
  Aggregators,
  CONSORTIUM,
  CountingStore,
  ENROLLED,
  PARAMS,
  VirtualClock,
  accept,
  answering,
  delivered,
  opener,
  seeded,
  type Behaviour,
} from "./world.js";

const MARCH = 24314;
const OLD = new Uint8Array(32).fill(9);
const FRESH = new Uint8Array(32).fill(10);
const FRESHER = new Uint8Array(32).fill(11);
const at = (k: number, month = MARCH): Period => ({ month, k });
const opens = (period: Period): number => window(period, PARAMS).opens;
const closes = (period: Period): number => window(period, PARAMS).closes;
const chain = (key: Uint8Array, first: Period, region = 5): KeyChain => ({ region, first, key });

/** The first PRID of a period under the key of its month. */
function pridUnder(key: Uint8Array, { month, k }: Period): string {
  return toHex(pridOf(leaf(deriveSeeds(key, CONSORTIUM, month).s0, k)));
}

function ratcheted(key: Uint8Array, from: number, to: number): Uint8Array {
  let next = key;
  for (let month = from + 1; month <= to; month += 1) next = ratchet(next, CONSORTIUM, month);
  return next;
}

/** A store on a slow disk: what is written is there when the disk is through with it, one write after the other. */
class SlowStore extends CountingStore {
  readonly #waiting: (() => void)[] = [];
  slow = false;

  override async write(changes: readonly MeterChange[]): Promise<void> {
    if (this.slow) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await super.write(changes);
  }

  /** The disk is through with everything, and with what that leads to. */
  async settle(): Promise<void> {
    this.slow = false;
    for (const done of this.#waiting.splice(0)) {
      done();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

interface Setting {
  readonly store?: CountingStore;
  readonly start?: number;
  /** Without one the meter is new and waits for its first delivery. */
  readonly key?: MonthKey | undefined;
}

/** A meter that has an age identity, with its DAs. */
class World {
  readonly clock: VirtualClock;
  readonly das: Aggregators;
  readonly store: CountingStore;
  readonly meter: Meter;

  constructor({ store = new CountingStore(), start = opens(at(9)), ...setting }: Setting = {}) {
    const key = "key" in setting ? setting.key : { month: MARCH, key: OLD };
    this.clock = new VirtualClock(start);
    this.das = new Aggregators(this.clock);
    this.store = store;
    this.meter = new Meter(
      {
        ...{ name: "7", consortium: CONSORTIUM, region: 3, params: PARAMS, enrolled: ENROLLED },
        ...(key === undefined ? {} : { key }),
      },
      { clock: this.clock, store, transport: this.das, random: seeded("meter"), open: opener },
    );
  }

  /** What was sent, each half once: "region/k prid". */
  get said(): Set<string> {
    return new Set(
      this.das.readings.map(({ bytes }) => {
        const { region, period, prid } = readingCodec.decode(bytes.subarray(0, READING_BYTES));
        return `${region}/${period.k} ${toHex(prid)}`;
      }),
    );
  }

  /** Whether the meter keeps a key somewhere. */
  keeps(key: Uint8Array): boolean {
    return [...this.store.entries.values()].some((value) => toHex(value).includes(toHex(key)));
  }

  /** Records a period at its end and lets its window pass. */
  async live(period: Period, wh = 100n): Promise<void> {
    await this.clock.run(opens(period));
    await this.meter.record(period, wh);
    await this.clock.run(closes(period));
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "accepted";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

describe("a meter that was off for three months", () => {
  it("goes on under the key of the month that it is, with nothing to send, and what it missed stays missing", async () => {
    const store = new CountingStore();
    const before = new World({ store });
    await before.meter.start();
    await before.live(at(10));
    await before.live(at(11));
    before.meter.stop();
    const JUNE = MARCH + 3;
    const world = new World({ store, start: opens(at(20, JUNE)) - 1000 });
    await world.meter.start();
    await world.live(at(20, JUNE));
    const june = ratcheted(OLD, MARCH, JUNE);
    expect([...world.said].map((said) => said.split(" ")[0])).to.deep.equal(["3/20", "3/20"]);
    expect(world.said).to.include(`3/20 ${pridUnder(june, at(20, JUNE))}`);
    expect(world.meter.proof(at(20, JUNE), 0)).to.not.equal(undefined);
    for (let month = MARCH; month < JUNE; month += 1) {
      expect(world.keeps(ratcheted(OLD, MARCH, month)), `the key of month ${month}`).to.equal(false);
    }
    expect(world.keeps(june)).to.equal(true);
    // Its log of March is gone with the ledger's bulk values of March.
    expect(world.meter.consumption(at(10))).to.equal(undefined);
  });

  it("takes a delivery that lay there for months, and ratchets its key on", async () => {
    const JUNE = MARCH + 3;
    const world = new World({ start: opens(at(20, JUNE)) - 1000 });
    await world.meter.start();
    expect(await world.meter.accept(delivered({ chains: [chain(FRESH, at(7, MARCH + 1))] }))).to.equal(true);
    await world.live(at(20, JUNE));
    expect(world.said).to.include(`5/20 ${pridUnder(ratcheted(FRESH, MARCH + 1, JUNE), at(20, JUNE))}`);
    expect(world.keeps(FRESH)).to.equal(false);
    expect(world.keeps(ratcheted(OLD, MARCH, JUNE))).to.equal(false);
  });
});

describe("a delivery of keys", () => {
  it("holds from its period on in its region, the old key until then, which is deleted after its last window", async () => {
    const world = new World();
    await world.meter.start();
    await world.meter.accept(delivered({ chains: [chain(FRESH, at(12))] }));
    for (const k of [10, 11]) await world.live(at(k));
    expect(world.keeps(OLD)).to.equal(true);
    for (const k of [12, 13]) await world.live(at(k));
    expect(world.keeps(OLD)).to.equal(false);
    const keys = [10, 11].map((k) => `3/${k} ${pridUnder(OLD, at(k))}`);
    expect(world.said).to.include.all.keys(...keys, ...[12, 13].map((k) => `5/${k} ${pridUnder(FRESH, at(k))}`));
    expect(world.said.size).to.equal(8);
  });

  it("is on disk before it counts: a restarted meter has it, and no other delivery twice", async () => {
    const store = new CountingStore();
    const before = new World({ store });
    await before.meter.start();
    const delivery = delivered({ serial: 4, chains: [chain(FRESH, at(11))] });
    await before.meter.accept(delivery);
    before.meter.stop();
    const world = new World({ store });
    await world.meter.start();
    expect(await world.meter.accept(delivery)).to.equal(false);
    const others = [3, 4].map((serial) => delivered({ serial, chains: [chain(OLD, at(11))] }));
    for (const other of others) expect(await codeOf(world.meter.accept(other))).to.equal("stale-delivery");
    await world.live(at(10));
    await world.live(at(11));
    expect(world.said).to.include.all.keys(`3/10 ${pridUnder(OLD, at(10))}`, `5/11 ${pridUnder(FRESH, at(11))}`);
  });

  it("after a compromise ends the old key at once, in the middle of a window, and the meter is silent until the new one", async () => {
    const world = new World();
    world.das.behaviour = (): Behaviour => () => undefined;
    await world.meter.start();
    await world.clock.run(opens(at(10)));
    await world.meter.record(at(10), 5n);
    await world.meter.accept(delivered({ keep: false, chains: [chain(FRESH, at(12), 3)] }));
    expect(world.keeps(OLD)).to.equal(false);
    const sent = world.das.readings.length;
    world.das.behaviour = (): Behaviour => accept;
    await world.clock.run(closes(at(10)));
    await world.live(at(11));
    expect(world.das.readings.length).to.equal(sent);
    await world.live(at(12));
    expect([...world.said].filter((said) => said.startsWith("3/12 "))).to.include(`3/12 ${pridUnder(FRESH, at(12))}`);
    // What the register showed meanwhile is in the meter's own log.
    expect(world.meter.consumption(at(11))).to.equal(100n);
  });

  it("that comes when its first window is open has the meter send that period again, under the new key", async () => {
    const world = new World();
    world.das.behaviour = (): Behaviour => answering("unknown-prid");
    await world.meter.start();
    await world.clock.run(opens(at(10)));
    await world.meter.record(at(10), 5n);
    await world.clock.run(opens(at(10)) + 60_000);
    world.das.behaviour = (): Behaviour => accept;
    await world.meter.accept(delivered({ chains: [chain(FRESH, at(10))] }));
    await world.clock.run(closes(at(10)));
    expect(world.said).to.include(`5/10 ${pridUnder(FRESH, at(10))}`);
    const proof = world.meter.proof(at(10), 0);
    expect(toHex(proof?.reading.subarray(9, 41) ?? new Uint8Array())).to.equal(pridUnder(FRESH, at(10)));
  });

  it("makes good one that never came: it has all chains that do not hold yet", async () => {
    const world = new World();
    await world.meter.start();
    await world.meter.accept(delivered({ serial: 1, chains: [chain(FRESH, at(12))] }));
    await world.meter.accept(delivered({ serial: 3, chains: [chain(FRESHER, at(11), 8), chain(OLD, at(12), 9)] }));
    for (const k of [10, 11, 12]) await world.live(at(k));
    expect(world.said).to.include.all.keys(
      `3/10 ${pridUnder(OLD, at(10))}`,
      `8/11 ${pridUnder(FRESHER, at(11))}`,
      `9/12 ${pridUnder(OLD, at(12))}`,
    );
  });

  it("is a new device's first word: until then it says nothing", async () => {
    const world = new World({ key: undefined });
    await world.meter.start();
    await world.live(at(10));
    expect(world.das.readings).to.deep.equal([]);
    await world.meter.accept(delivered({ keep: false, chains: [chain(OLD, at(11), 3), chain(FRESH, at(12), 3)] }));
    await world.live(at(11));
    await world.live(at(12));
    expect(world.said).to.include.all.keys(`3/11 ${pridUnder(OLD, at(11))}`, `3/12 ${pridUnder(FRESH, at(12))}`);
  });

  it("is refused by code with nothing changed where it is not this meter's, not KGCBP's, or not one", async () => {
    const world = new World();
    await world.meter.start();
    const chains = [chain(FRESH, at(12))];
    const good = delivered({ chains });
    const kept = toHex(world.store.get("7/keys") ?? new Uint8Array());
    const codes: Record<string, string> = {};
    const cases: Record<string, Uint8Array> = {
      "encrypted to another": delivered({ chains }, { to: `age1${"p".repeat(58)}` }),
      "signed by an aggregator": delivered({ chains }, { signer: "da0" }),
      "signed by the control center": delivered({ chains }, { signer: "cc" }),
      "of another consortium": delivered({ chains, consortium: new Uint8Array(32) }),
      "of another params version": delivered({ chains, params: 2 }),
      "for another meter": delivered({ chains, meter: "meter 8" }),
      "for the device before": delivered({ chains, device: `age1${"p".repeat(58)}` }),
      "with a bit turned": good.with(-1, (good.at(-1) as number) ^ 1),
      "with a byte missing": good.subarray(0, -1),
      "of no keys": good.subarray(0, 62),
      "from a period that no month has": delivered({ chains: [chain(FRESH, at(2975))] }),
    };
    for (const [name, bytes] of Object.entries(cases)) codes[name] = await codeOf(world.meter.accept(bytes));
    expect(codes).to.deep.equal({
      "encrypted to another": "cannot-decrypt",
      "signed by an aggregator": "bad-signature",
      "signed by the control center": "bad-signature",
      "of another consortium": "wrong-consortium",
      "of another params version": "wrong-params",
      "for another meter": "wrong-meter",
      "for the device before": "wrong-meter",
      "with a bit turned": "bad-signature",
      "with a byte missing": "malformed",
      "of no keys": "malformed",
      "from a period that no month has": "malformed",
    });
    expect(toHex(world.store.get("7/keys") ?? new Uint8Array())).to.equal(kept);
    expect(await world.meter.accept(good)).to.equal(true);
  });

  it("is not overwritten by keys that are deleted while the disk is at it", async () => {
    const store = new SlowStore();
    const last = at(periodsInMonth(MARCH, PARAMS.periodSeconds) - 1);
    const world = new World({ store, start: opens(last) });
    await world.meter.start();
    await world.clock.run(closes(last) - 1);
    store.slow = true;
    const fresh = delivered({ keep: true, chains: [chain(FRESH, at(20, MARCH + 1))] });
    const taken = world.meter.accept(fresh);
    await new Promise((resolve) => setImmediate(resolve));
    // The month's last window closes: its key is deleted, which is written as well.
    await world.clock.run(closes(last));
    const turned = world.meter.send(at(0, MARCH + 1));
    await new Promise((resolve) => setImmediate(resolve));
    await store.settle();
    await Promise.all([taken, turned]);
    expect(new World({ store }).meter.newestDelivery).to.equal(1);
  });

  it("is nothing for a meter without an age identity", async () => {
    const { clock, das, store } = new World();
    const options = { name: "8", consortium: CONSORTIUM, region: 3, params: PARAMS, key: { month: MARCH, key: OLD } };
    const meter = new Meter(options, { clock, store, transport: das, random: seeded("meter") });
    expect(await codeOf(meter.accept(delivered({ chains: [chain(FRESH, at(12))] })))).to.equal("no-device");
  });
});
