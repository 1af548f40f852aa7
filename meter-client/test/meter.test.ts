import {
  READING_BYTES,
  type VeilgridError,
  VerifiedSignatures,
  deriveSeeds,
  leaf,
  periodEnd,
  pridOf,
  ratchet,
  readingCodec,
  toHex,
  unmask,
  verifyReceiptOf,
  window,
  type Facts,
  type Period,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { Fleet } from "../src/fleet.js";
import { Meter } from "../src/meter.js";
import type { MeterClock, MeterStore } from "../src/ports.js";
import {
  Aggregators,
  CONSORTIUM,
  CountingStore,
  PARAMS,
  VirtualClock,
  accept,
  answering,
  byWindow,
  garbage,
  receiptFor,
  seeded,
  silent,
  type Behaviour,
} from "./world.js";

const MARCH = 24314;
const KEY = new Uint8Array(32).fill(9);
const PERIOD: Period = { month: MARCH, k: 1344 };
const { opens: OPENS, closes: CLOSES } = window(PERIOD, PARAMS);

interface Setting {
  readonly store?: CountingStore;
  /** How far the meter's clock is from the world's, milliseconds. */
  readonly skew?: number;
  readonly start?: number;
  readonly name?: string;
}

/** One meter with its DAs. */
class World {
  readonly clock: VirtualClock;
  readonly das: Aggregators;
  readonly store: CountingStore;
  readonly meter: Meter;
  readonly logged: { event: string; facts: Facts | undefined }[] = [];

  constructor(setting: Setting = {}) {
    const { store = new CountingStore(), skew = 0, start = OPENS, name = "7" } = setting;
    this.clock = new VirtualClock(start);
    this.das = new Aggregators(this.clock);
    this.store = store;
    const { clock } = this;
    const skewed: MeterClock = {
      now: () => clock.now() + skew,
      at: (time, label, action) => clock.at(time - skew, label, action),
    };
    this.meter = new Meter(
      { name, consortium: CONSORTIUM, region: 3, params: PARAMS, key: { month: MARCH, key: KEY } },
      {
        clock: skewed,
        store,
        transport: this.das,
        random: seeded("meter"),
        memory: new VerifiedSignatures(100),
        log: (_level, event, facts) => this.logged.push({ event, facts }),
      },
    );
  }

  get sent(): string[] {
    return this.das.readings.map(({ bytes }) => toHex(bytes));
  }

  /** The readings as sent, each once, in the order of first sending. */
  get halves(): string[] {
    return [...new Set(this.sent)];
  }

  get receipts(): number {
    return ([0, 1] as const).filter((half) => this.meter.proof(PERIOD, half) !== undefined).length;
  }
}

/** A started meter that has recorded 250 Wh, and DAs that behave so. */
async function recorded(behaviour: (da: number) => Behaviour, setting: Setting = {}): Promise<World> {
  const world = new World(setting);
  world.das.behaviour = behaviour;
  await world.meter.start();
  await world.meter.record(PERIOD, 250n);
  return world;
}

describe("meter", () => {
  it("sends each half once, to two DAs, in the window, and keeps the receipts", async () => {
    const world = await recorded(() => accept);
    await world.clock.run(CLOSES + 1000);
    const { readings } = world.das;
    expect(readings.length).to.equal(2);
    expect(world.halves.length).to.equal(2);
    expect(new Set(readings.map(({ da }) => da)).size).to.equal(2);
    for (const { at } of readings) expect(at).to.be.within(OPENS, CLOSES - 1);
    for (const half of [0, 1] as const) {
      const proof = world.meter.proof(PERIOD, half);
      expect(proof, `half ${half}`).to.not.equal(undefined);
      if (proof === undefined) continue;
      expect(verifyReceiptOf(CONSORTIUM, PARAMS, proof.receipt, proof.reading).length).to.equal(3);
      expect(world.halves).to.include(toHex(proof.reading));
    }
    expect(world.clock.waiting).to.equal(0);
  });

  it("masks what the key of the month says", async () => {
    const world = await recorded(() => accept);
    await world.clock.run(CLOSES);
    const { s0, s1, r0, r1 } = deriveSeeds(KEY, CONSORTIUM, MARCH);
    const readings = world.das.readings.map(({ bytes }) => readingCodec.decode(bytes.subarray(0, READING_BYTES)));
    const byPrid = new Map(readings.map((reading) => [toHex(reading.prid), reading.rc]));
    const rc = byPrid.get(toHex(pridOf(leaf(s0, PERIOD.k)))) as bigint;
    const rc2 = byPrid.get(toHex(pridOf(leaf(s1, PERIOD.k)))) as bigint;
    expect(unmask(rc, rc2, leaf(r0, PERIOD.k), leaf(r1, PERIOD.k))).to.equal(250n);
  });

  it("has the consumption on disk before anything is sent", async () => {
    const world = new World();
    let checked = 0;
    world.das.onReading = () => {
      expect([...world.store.entries.keys()].some((key) => key.startsWith("7/log/"))).to.equal(true);
      checked += 1;
    };
    await world.meter.start();
    await world.meter.record(PERIOD, 250n);
    expect(world.das.readings).to.deep.equal([]);
    await world.clock.run(CLOSES);
    expect(checked).to.equal(2);
  });

  it("sends nothing where the disk fails", async () => {
    const world = new World();
    await world.meter.start();
    world.store.write = () => Promise.reject(new Error("disk full"));
    const failed = await world.meter.record(PERIOD, 250n).then(
      () => "",
      (error: unknown) => String(error),
    );
    expect(failed).to.include("disk full");
    await world.clock.run(CLOSES);
    expect(world.das.readings).to.deep.equal([]);
  });

  it("writes twice a period: the consumption, and both receipts together", async () => {
    const world = await recorded(() => accept);
    const before = world.store.writes;
    await world.clock.run(CLOSES);
    expect(world.store.writes - before).to.equal(1);
  });

  it("leaves a missing reading missing", async () => {
    const world = new World();
    await world.meter.start();
    await world.meter.record(PERIOD, undefined);
    await world.clock.run(CLOSES);
    expect(world.das.readings).to.deep.equal([]);
    expect(world.meter.consumption(PERIOD)).to.equal(undefined);
  });

  it("goes on to other DAs past one that is silent, lies or talks nonsense", async () => {
    const badReceipts: Record<string, Behaviour> = {
      silent,
      garbage,
      "a receipt of another reading": (signed) => Uint8Array.of(1, ...receiptFor(signed.with(112, 1))),
      "a receipt with an ack less": (signed) => Uint8Array.of(1, ...receiptFor(signed, 2)),
      "a receipt of another consortium": (signed) => Uint8Array.of(1, ...receiptFor(signed, 3, new Uint8Array(32))),
    };
    for (const [what, bad] of Object.entries(badReceipts)) {
      for (const broken of [0, 1, 2, 3]) {
        const world = await recorded((da) => (da === broken ? bad : accept));
        await world.clock.run(CLOSES);
        expect(world.receipts, `${what} at da ${broken}`).to.equal(2);
      }
    }
  });

  it("shows no DA both halves while others are left", async () => {
    for (const silentDas of [[0], [1], [2, 3]]) {
      const world = await recorded((da) => (silentDas.includes(da) ? silent : accept));
      await world.clock.run(CLOSES);
      const shown = new Set(world.das.readings.map(({ da, bytes }) => `${da} ${toHex(bytes)}`));
      const both = [0, 1, 2, 3].filter((da) => [...shown].filter((one) => one.startsWith(`${da} `)).length === 2);
      expect(both.length, `silent ${silentDas.join()}`).to.be.at.most(silentDas.length > 1 ? 3 : 0);
    }
  });

  it("takes a receipt that comes after it has gone on", async () => {
    // 20 s later than anybody waits, and the others never answer.
    const world = await recorded(() => silent);
    const request = world.das.request.bind(world.das);
    world.das.request = (to, method, bytes, onResponse) => {
      request(to, method, bytes, onResponse);
      if (method !== "reading") return;
      world.clock.at(world.clock.now() + 20_000, "late", () => onResponse?.(Uint8Array.of(1, ...receiptFor(bytes))));
    };
    await world.clock.run(CLOSES);
    expect(world.receipts).to.equal(2);
  });

  it("tries again after a pause where all say retry, and stops at the window's end", async () => {
    for (const code of ["no-epoch", "busy", "too-few-acks"] as const) {
      const world = await recorded(() => answering(code, { retryAfterMs: 30_000 }));
      await world.clock.run(CLOSES - 90_000);
      const early = world.das.readings.length;
      expect(early, code).to.be.at.least(4);
      world.das.behaviour = () => accept;
      await world.clock.run(CLOSES);
      expect(world.receipts, code).to.equal(2);
    }
    const world = await recorded(() => answering("no-epoch", { retryAfterMs: 4_000_000_000 }));
    await world.clock.run(CLOSES + 3_600_000);
    const times = world.das.readings.map(({ at }) => at);
    expect(Math.max(...times)).to.be.below(CLOSES);
    // Four DAs, two halves, and at least three rounds although every DA asked it to wait for six weeks.
    expect(times.length).to.be.at.least(24);
    expect(times.length).to.be.at.most(200);
    expect(world.receipts).to.equal(0);
    expect(world.logged.map(({ event }) => event)).to.deep.equal(["half-without-receipt", "half-without-receipt"]);
    expect(world.clock.waiting).to.equal(0);
  });

  it("does not let one DA's long wait hold it up", async () => {
    const patient = (da: number): Behaviour => answering("busy", { retryAfterMs: da === 0 ? 500_000 : 1000 });
    const world = await recorded(patient);
    await world.clock.run(CLOSES);
    expect(world.das.readings.length).to.be.at.least(24);
  });

  it("gives a half up that every DA refuses, and keeps what they signed", async () => {
    const world = await recorded((da) => answering("unknown-prid", { signed: da < 3 }));
    await world.clock.run(CLOSES + 1000);
    expect(world.das.readings.length).to.equal(8);
    const refusals = await world.meter.refusals(PERIOD);
    expect(refusals.map(({ half, da }) => `${half} ${da}`)).to.deep.equal(["0 0", "0 1", "0 2", "1 0", "1 1", "1 2"]);
    expect(world.clock.waiting).to.equal(0);
  });

  it("keeps no refusal that another DA signed or that is about another reading", async () => {
    const forged: Behaviour = (signed, da, clock) =>
      da % 2 === 0
        ? answering("unknown-prid", { signed: true })(signed, da + 1, clock)
        : answering("other-reading", { signed: true })(signed.with(0, 2), da, clock);
    const world = await recorded(() => forged);
    await world.clock.run(CLOSES);
    expect(await world.meter.refusals(PERIOD)).to.deep.equal([]);
    expect(world.receipts).to.equal(0);
  });

  it("asks for the time after a window answer and is drawn into the window", async () => {
    // The meter is 40 s ahead: what it sends in the first 40 s is early for every DA.
    const world = await recorded(() => byWindow, { skew: 40_000, start: OPENS - 40_000 });
    await world.clock.run(CLOSES);
    expect(world.receipts).to.equal(2);
    const { meter, clock } = world;
    for (let k = PERIOD.k + 1; k <= PERIOD.k + 40; k += 1) {
      const period = { month: MARCH, k };
      await clock.run(periodEnd(period, 1800));
      const before = meter.now;
      await meter.record(period, 1n);
      expect(Math.abs(meter.now - before)).to.be.at.most(1000);
    }
    expect(Math.abs(meter.now - clock.now())).to.be.at.most(100);
  });

  it("asks for the time again each day, on its own", async () => {
    const world = await recorded(() => accept);
    for (let k = PERIOD.k + 1; k <= PERIOD.k + 100; k += 1) {
      await world.clock.run(periodEnd({ month: MARCH, k }, 1800));
      await world.meter.record({ month: MARCH, k }, 1n);
    }
    await world.clock.run(world.clock.now() + 1_800_000);
    expect(world.das.timeAsked.length).to.equal(12);
  });

  it("says nothing of keys, PRIDs or readings in its log", async () => {
    const world = await recorded(() => answering("unknown-prid", { signed: true }));
    await world.clock.run(CLOSES);
    const text = JSON.stringify(world.logged);
    expect(world.logged.length).to.equal(2);
    expect(text).to.not.match(/[0-9a-f]{16}/);
    expect(text).to.not.include("250");
  });
});

describe("meter after a crash", () => {
  it("sends the same bytes again, and only what has no receipt", async () => {
    const store = new CountingStore();
    const first = await recorded(() => silent, { store });
    await first.clock.run(OPENS + 450_000);
    expect(first.sent.length).to.be.at.least(1);
    const second = new World({ store, start: OPENS + 450_000 });
    await second.meter.start();
    await second.clock.run(CLOSES);
    expect(second.halves.toSorted()).to.deep.equal(second.sent.toSorted());
    expect(second.receipts).to.equal(2);
    for (const bytes of first.sent) expect(second.halves).to.include(bytes);
    const third = new World({ store, start: OPENS + 500_000 });
    await third.meter.start();
    await third.clock.run(CLOSES);
    expect(third.sent).to.deep.equal([]);
  });

  it("does not send both overdue halves at once", async () => {
    const store = new CountingStore();
    await recorded(() => silent, { store });
    const second = new World({ store, start: OPENS + 500_000 });
    await second.meter.start();
    await second.clock.run(CLOSES);
    const [one, other] = second.das.readings.map(({ at }) => at) as [number, number];
    expect(Math.abs(one - other)).to.be.greaterThan(100);
    expect(second.receipts).to.equal(2);
  });

  it("takes the same record again, and never another", async () => {
    const store = new CountingStore();
    const world = await recorded(() => accept, { store });
    await world.meter.record(PERIOD, 250n);
    await world.clock.run(CLOSES);
    expect(world.das.readings.length).to.equal(2);
    for (const meter of [world.meter, new World({ store }).meter]) {
      const refused = await meter.record(PERIOD, 251n).then(
        () => undefined,
        (error: unknown) => error as VeilgridError,
      );
      expect(refused?.code).to.equal("other-consumption");
      expect(refused?.message).to.not.include("251");
      expect(meter.consumption(PERIOD)).to.equal(250n);
    }
  });

  it("is too late when the window is over, and says so", async () => {
    const world = await recorded(() => accept, { start: CLOSES });
    expect(world.das.readings).to.deep.equal([]);
    expect(world.logged.map(({ event }) => event)).to.deep.equal(["half-without-receipt", "half-without-receipt"]);
  });

  it("ignores what still comes after it was stopped", async () => {
    const world = await recorded(() => accept);
    await world.clock.run(OPENS + 1000);
    world.meter.stop();
    await world.clock.run(CLOSES);
    expect(world.receipts).to.equal(0);
    expect(world.clock.waiting).to.equal(0);
  });
});

describe("meter over a month's end", () => {
  const LAST: Period = { month: MARCH, k: 1487 };
  const end = window(LAST, PARAMS);

  it("deletes the month's key after the last window and goes on by the ratchet", async () => {
    const world = new World({ start: end.opens - 1000 });
    await world.meter.start();
    await world.clock.run(end.opens);
    await world.meter.record(LAST, -20n);
    expect(world.store.get("7/keys")?.subarray(-32)).to.deep.equal(KEY);
    await world.clock.run(end.closes);
    await world.meter.record({ month: MARCH + 1, k: 0 }, 30n);
    const april = ratchet(KEY, CONSORTIUM, MARCH + 1);
    expect(world.store.get("7/keys")?.subarray(-32)).to.deep.equal(april);
    const kept = [...world.store.entries.values()].map(toHex).join();
    expect(kept).to.not.include(toHex(KEY));
    await world.clock.run(window({ month: MARCH + 1, k: 0 }, PARAMS).closes);
    const prids = world.das.readings.map(({ bytes }) => toHex(bytes.subarray(9, 41)));
    const aprilSeeds = deriveSeeds(april, CONSORTIUM, MARCH + 1);
    expect(prids).to.include(toHex(pridOf(leaf(aprilSeeds.s0, 0))));
    expect(prids).to.include(toHex(pridOf(leaf(deriveSeeds(KEY, CONSORTIUM, MARCH).s1, LAST.k))));
    expect(world.das.readings.length).to.equal(4);
  });

  it("still has the last period's key while its window is open", async () => {
    const store = new CountingStore();
    const world = new World({ store, start: end.opens });
    world.das.behaviour = () => silent;
    await world.meter.start();
    await world.meter.record(LAST, 5n);
    const again = new World({ store, start: end.opens + 200_000 });
    await again.meter.start();
    await again.clock.run(end.closes);
    expect(again.meter.proof(LAST, 0)).to.not.equal(undefined);
    expect(again.meter.proof(LAST, 1)).to.not.equal(undefined);
  });

  it("sends nothing of a month whose key is gone, where its clock was set back into the last window", async () => {
    const store = new CountingStore();
    const world = new World({ store, start: end.opens });
    world.das.behaviour = () => silent;
    await world.meter.start();
    await world.meter.record(LAST, 5n);
    await world.clock.run(end.closes);
    const again = new World({ store, start: end.opens });
    await again.meter.start();
    await again.meter.record(LAST, 5n);
    await again.clock.run(end.closes);
    expect(again.das.readings).to.deep.equal([]);
  });

  it("forgets a month's log and receipts when the ledger may", async () => {
    const world = await recorded(() => accept);
    await world.clock.run(CLOSES);
    const has = (): boolean => [...world.store.entries.keys()].some((key) => key.includes(`/0${MARCH}/`));
    for (const month of [MARCH + 1, MARCH + 2]) {
      await world.clock.run(window({ month, k: 0 }, PARAMS).opens);
      await world.meter.record({ month, k: 0 }, 1n);
      expect(has(), `in month ${month}`).to.equal(true);
    }
    await world.clock.run(window({ month: MARCH + 3, k: 0 }, PARAMS).opens);
    await world.meter.record({ month: MARCH + 3, k: 0 }, 1n);
    expect(has()).to.equal(false);
  });
});

describe("fleet of meters", () => {
  function fleetOf(count: number, store: CountingStore): { fleet: Fleet; clock: VirtualClock; das: Aggregators } {
    const clock = new VirtualClock(OPENS);
    const das = new Aggregators(clock);
    const shared: MeterStore = store;
    const meters = Array.from({ length: count }, (_, i) => {
      const options = { consortium: CONSORTIUM, region: 1, params: PARAMS, name: String(i) };
      const key = { month: MARCH, key: new Uint8Array(32).fill(i + 1) };
      return new Meter({ ...options, key }, { clock, store: shared, transport: das, random: seeded("fleet") });
    });
    return { fleet: new Fleet(meters, shared), clock, das };
  }

  it("records a period of all in one write", async () => {
    const store = new CountingStore();
    const { fleet, clock, das } = fleetOf(5, store);
    await fleet.start();
    const before = store.writes;
    await fleet.record(PERIOD, [1n, undefined, -3n, 0n, 5n]);
    expect(store.writes - before).to.equal(1);
    await clock.run(CLOSES);
    expect(das.readings.length).to.equal(8);
    expect(fleet.meters.map((meter) => meter.consumption(PERIOD))).to.deep.equal([1n, undefined, -3n, 0n, 5n]);
    await fleet.record({ ...PERIOD, k: PERIOD.k + 1 }, new Array<undefined>(5).fill(undefined));
    fleet.stop();
  });

  it("refuses a wrong number of values and a changed one, and then records none", async () => {
    const store = new CountingStore();
    const { fleet } = fleetOf(2, store);
    await fleet.start();
    await fleet.record(PERIOD, [1n, undefined]);
    for (const [values, code] of [
      [[1n], "out-of-range"],
      [[2n, 5n], "other-consumption"],
    ] as const) {
      const refused = await fleet.record(PERIOD, values).then(
        () => undefined,
        (error: unknown) => error as VeilgridError,
      );
      expect(refused?.code).to.equal(code);
      expect(fleet.meters[1]?.consumption(PERIOD)).to.equal(undefined);
    }
  });
});
