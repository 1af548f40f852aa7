import { expect } from "chai";
import { ScaledClock, SystemClock } from "../../src/process/clock.js";

function neverFails(label: string, error: unknown): never {
  throw new Error(label, { cause: error });
}

describe("a process's clock", () => {
  it("runs actions when their time has come, those that are past at once", async () => {
    const clock = new SystemClock({ onFailure: neverFails });
    const begin = clock.now();
    const ran = (time: number): Promise<number> =>
      new Promise((resolve) => {
        clock.at(time, "an action", () => {
          resolve(clock.now());
        });
      });
    const [past, later] = await Promise.all([ran(begin - 100_000), ran(begin + 30)]);
    expect(past).to.be.within(begin, begin + 10_000);
    expect(later).to.be.within(begin + 30, begin + 10_000);
    expect(clock.waiting).to.equal(0);
  });

  it("says what failed, by its label", async () => {
    const failure = await new Promise<[string, unknown]>((resolve) => {
      const clock = new SystemClock({
        onFailure: (label, error) => {
          resolve([label, error]);
        },
      });
      clock.at(0, "an action", () => Promise.reject(new Error("no")));
    });
    expect(failure[0]).to.equal("an action");
    expect(failure[1]).to.be.an("error");
  });

  it("forgets what is cancelled", async () => {
    const clock = new SystemClock({ onFailure: neverFails });
    let ran = false;
    const timer = clock.at(clock.now() + 5, "cancelled", () => {
      ran = true;
    });
    timer.cancel();
    await new Promise<void>((resolve) => {
      clock.at(clock.now() + 15, "after", resolve);
    });
    expect(ran).to.equal(false);
  });

  it("waits, when it is stopped, for what has begun, and begins nothing more", async () => {
    const clock = new SystemClock({ onFailure: neverFails });
    const events: string[] = [];
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    await new Promise<void>((resolve) => {
      clock.at(0, "long", async () => {
        resolve();
        await ended;
        events.push("ended");
      });
    });
    clock.at(clock.now() + 1, "next", () => {
      events.push("next");
    });
    const stopped = clock.stop().then(() => events.push("stopped"));
    end();
    await stopped;
    expect(events).to.deep.equal(["ended", "stopped"]);
  });

  it("goes faster in a time-lapse, from one start for all who share it", async () => {
    const start = Date.parse("2013-04-01T00:00:00Z");
    const scale = { origin: Date.now(), start, factor: 10_000 };
    const [one, two] = [0, 1].map(() => new ScaledClock(scale, { onFailure: neverFails })) as [
      ScaledClock,
      ScaledClock,
    ];
    expect(one.now()).to.be.within(start, start + 10_000_000);
    expect(Math.abs(one.now() - two.now())).to.be.below(2_000_000);
    const due = one.now() + 300_000;
    const ran = await new Promise<number>((resolve) => {
      one.at(due, "five minutes later", () => {
        resolve(one.now());
      });
    });
    expect(ran).to.be.at.least(due);
    expect(Date.now() - scale.origin)
      .to.be.at.least(30)
      .and.below(10_000);
  });
});
