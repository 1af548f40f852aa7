import { isVeilgridError, window } from "@veilgrid/protocol";
import { expect } from "chai";
import { RememberingRegister } from "../../src/meterside/remembering.js";
import type { Border, RegisterDriver, RegisterReading } from "../../src/meterside/register.js";
import { MeterStation, type DriverModules } from "../../src/meterside/station.js";
import type { Log } from "../../src/ports/log.js";
import type { Store } from "../../src/ports/store.js";
import { SeededRandom } from "../../src/random.js";
import { MemoryStore } from "../../src/store/memory.js";
import { Died, dying, type Crash } from "../support/disk.js";
import { BEGIN, HALF_HOUR, HOUSEHOLDS, MetersideWorld, after, metersOf } from "./world.js";

const METERS = metersOf(3);
/** Household 2 of HOUSEHOLDS. */
const METER = METERS[2] as (typeof METERS)[number];

/** A meter's process, its disk outside of it. */
class Life {
  readonly station: MeterStation;
  readonly logged: string[] = [];
  readonly #reading: Promise<void>;
  /** Whether its disk has failed it. */
  isDead = false;

  private constructor(station: MeterStation, reading: Promise<void>, logged: string[]) {
    this.station = station;
    this.#reading = reading;
    this.logged = logged;
  }

  static async begin(
    world: MetersideWorld,
    store: Store,
    driver: (modules: DriverModules) => RegisterDriver = remembering,
  ): Promise<Life> {
    const { clock, params, consortium } = world;
    const logged: string[] = [];
    const log: Log = (level, event) => logged.push(`${level} ${event}`);
    const station = new MeterStation(
      { name: "meter", consortium, region: METER.region, params, key: METER },
      { clock, store, transport: world.tapped("meter/2"), random: SeededRandom.of("meter"), log, driver },
    );
    await station.start();
    const reading = station.read();
    const life = new Life(station, reading, logged);
    // What ends it is heard at its end.
    reading.catch(() => (life.isDead = true));
    return life;
  }

  async end(): Promise<void> {
    await this.station.stop();
    await this.#reading;
  }
}

const remembering = ({ time }: DriverModules): RegisterDriver =>
  new RememberingRegister({ households: HOUSEHOLDS, household: 2, periodSeconds: 1800 }, { time });

/** A register that is told what to show. */
class ToldRegister implements RegisterDriver {
  readonly remembers = false;
  readonly #waiting: RegisterReading[] = [];
  #wake: () => void = () => undefined;

  show(at: number, imported: number): void {
    this.#waiting.push({ at, imported: BigInt(imported), exported: 0n });
    this.#wake();
  }

  async *readings(_since: Border | undefined, signal: AbortSignal): AsyncGenerator<RegisterReading, void> {
    const ended = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else await Promise.race([ended, new Promise<void>((resolve) => (this.#wake = resolve))]);
    }
  }
}

/** Lets what was begun outside of the scheduler go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs the world in steps short enough for a register that waits outside of it. */
async function runTo(world: MetersideWorld, until: number, life?: Life): Promise<void> {
  while (world.clock.now() < until && life?.isDead !== true) {
    await world.run(Math.min(until, world.clock.now() + 60_000));
    await settle();
  }
}

describe("a meter with its register", () => {
  it("sends what its register counted, and keeps consumption, receipts and the border on disk", async () => {
    const world = await MetersideWorld.of(METERS, 2);
    const life = await Life.begin(world, new MemoryStore());
    await settle();
    await runTo(world, window(after(1), world.params).closes + 60_000);
    const { meter } = life.station;
    expect([meter.consumption(after(0)), meter.consumption(after(1))]).to.deep.equal([536n, 537n]);
    for (const half of [0, 1] as const) expect(meter.proof(after(1), half)).to.not.equal(undefined);
    expect(life.station.state.isReading).to.equal(true);
    expect(life.station.state.facts.border).to.equal("2013-04-08T01:00:00.000Z");
    await life.end();
    expect(await world.committed(after(0))).to.equal(2);
  });

  it("killed at any write goes on where it was: nothing lost, nothing sent with other bytes", async () => {
    // Keys; the first border; each period's consumption with its border; each period's receipts.
    for (let dies = 0; dies < 6; dies += 1) {
      const world = await MetersideWorld.of(METERS, 2);
      const kept = new MemoryStore();
      const crash: Crash = { after: dies, writes: 0 };
      const end = window(after(1), world.params).closes + 60_000;
      const first = await firstLife(world, dying(kept, crash), end);
      expect(crash.writes, `died at write ${dies}`).to.equal(dies);
      first?.station.meter.stop();
      const second = await Life.begin(world, kept);
      await settle();
      await runTo(world, end);
      await second.end();
      expect(world.contradictions, `died at write ${dies}`).to.equal(0);
      // Who dies before it has the first border on disk begins with the period in which it is started again.
      expect([await world.committed(after(0)), await world.committed(after(1))], `died at write ${dies}`).to.deep.equal(
        [2, 2],
      );
    }
  });

  it("that was away over borders tells of them, and sends those whose windows are open", async () => {
    const world = await MetersideWorld.of(METERS, 4);
    const store = new MemoryStore();
    const first = await Life.begin(world, store);
    await settle();
    await first.end();
    // Two periods are over, and of the second one the window is open.
    await world.run(BEGIN + 2 * HALF_HOUR + 60_000);
    const second = await Life.begin(world, store);
    await settle();
    await runTo(world, window(after(1), world.params).closes + 60_000);
    const { meter } = second.station;
    expect([meter.consumption(after(0)), meter.consumption(after(1))]).to.deep.equal([536n, 537n]);
    await second.end();
    expect([await world.committed(after(0)), await world.committed(after(1))]).to.deep.equal([0, 2]);
  });

  it("says what is wrong with its register, without a figure, and leaves the period out", async () => {
    const world = await MetersideWorld.of(METERS, 4);
    const register = new ToldRegister();
    const life = await Life.begin(world, new MemoryStore(), () => register);
    const show = async (minutes: number, wh: number): Promise<void> => {
      await runTo(world, BEGIN + minutes * 60_000);
      register.show(world.clock.now(), wh);
      await settle();
    };
    await show(0, 1000);
    await show(30, 1500);
    await show(60, 1400);
    await show(90, 1450);
    // Nobody is there at the next two borders.
    await runTo(world, BEGIN + 151 * 60_000);
    const { meter } = life.station;
    expect([0, 1, 2, 3, 4].map((i) => meter.consumption(after(i)))).to.deep.equal([
      500n,
      undefined,
      50n,
      undefined,
      undefined,
    ]);
    expect(life.station.state).to.deep.include({ isReading: false });
    expect(life.station.state.facts.fault).to.equal("register-silent");
    await show(180, 2000);
    await life.end();
    const warned = life.logged.filter((line) => line.includes("register"));
    expect(warned).to.deep.equal(["warn register-fell", "warn register-silent", "warn register-gap"]);
  });

  it("ends where the register says something else of a period that was sent", async () => {
    const world = await MetersideWorld.of(METERS, 2);
    const store = new MemoryStore();
    const register = new ToldRegister();
    const life = await Life.begin(world, store, () => register);
    await life.station.meter.record(after(0), 7n);
    register.show(BEGIN, 0);
    register.show(BEGIN + HALF_HOUR, 8);
    await settle();
    const ended = await life.end().then(
      () => "ended",
      (error: unknown) => (isVeilgridError(error) ? error.code : "another error"),
    );
    expect(ended).to.equal("other-consumption");
  });
});

/** A life until its disk fails, or to the end. */
async function firstLife(world: MetersideWorld, store: Store, until: number): Promise<Life | undefined> {
  let life: Life | undefined;
  try {
    life = await Life.begin(world, store);
    await settle();
    await runTo(world, until, life);
  } catch (error) {
    const isDeath = error instanceof Died || (isVeilgridError(error) && error.cause instanceof Died);
    if (!isDeath) throw error;
  }
  return life;
}
