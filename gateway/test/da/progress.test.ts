import { expect } from "chai";
import { ProgressTimer } from "../../src/da/progress.js";
import { Scheduler } from "../../src/sim/scheduler.js";

const BASE = 20_000;
const MOST = 600_000;

interface Timed {
  readonly clock: Scheduler;
  readonly timer: ProgressTimer;
  /** When it ran out. */
  readonly expired: number[];
}

function timed(): Timed {
  const clock = new Scheduler(0);
  const expired: number[] = [];
  const onExpire = (): Promise<void> => {
    expired.push(clock.now());
    return Promise.resolve();
  };
  return { clock, timer: new ProgressTimer({ baseMs: BASE, mostMs: MOST, onExpire }, { clock }), expired };
}

describe("the progress timer", () => {
  it("runs only while something is due", async () => {
    const { clock, timer, expired } = timed();
    timer.committed();
    timer.entered();
    await clock.run(1_000_000);
    expect(expired).to.deep.equal([]);
    timer.setBusy(true);
    await clock.run(1_010_000);
    timer.setBusy(false);
    await clock.run(2_000_000);
    expect(expired).to.deep.equal([]);
    timer.setBusy(true);
    await clock.run();
    expect(expired).to.deep.equal([2_020_000]);
  });

  it("is not put off by more that is due", async () => {
    const { clock, timer, expired } = timed();
    timer.setBusy(true);
    await clock.run(15_000);
    timer.setBusy(true);
    await clock.run();
    expect(expired).to.deep.equal([BASE]);
  });

  it("doubles with each fruitless term, up to ten minutes", async () => {
    const { clock, timer, expired } = timed();
    timer.setBusy(true);
    const waits: number[] = [];
    for (let term = 1; term <= 8; term += 1) {
      timer.entered();
      const from = clock.now();
      await clock.run();
      waits.push((expired.at(-1) as number) - from);
    }
    // The first term comes from term 0, which has no leader that could have failed.
    expect(waits).to.deep.equal([20, 40, 80, 160, 320, 600, 600, 600].map((seconds) => seconds * 1000));
  });

  it("goes back to its base with a commit, and does not double after a term that had one", async () => {
    const { clock, timer, expired } = timed();
    timer.setBusy(true);
    for (let term = 1; term <= 3; term += 1) timer.entered();
    expect(timer.durationMs).to.equal(80_000);
    timer.committed();
    await clock.run();
    expect(expired).to.deep.equal([BASE]);
    timer.entered();
    expect(timer.durationMs).to.equal(BASE);
    timer.entered();
    expect(timer.durationMs).to.equal(2 * BASE);
    timer.stop();
    expect(clock.waiting).to.equal(0);
  });
});
