import { expect } from "chai";
import fc from "fast-check";
import { Scheduler } from "../../src/sim/scheduler.js";

describe("Scheduler", () => {
  it("runs actions by time, and within a millisecond in the order of asking", async () => {
    const clock = new Scheduler(1_000);
    const seen: string[] = [];
    const note = (what: string) => () => {
      seen.push(`${what}@${clock.now()}`);
    };
    clock.at(1_020, "c", note("c"));
    clock.at(1_010, "a", note("a"));
    clock.at(1_010, "b", note("b"));
    await clock.run();
    expect(seen).to.deep.equal(["a@1010", "b@1010", "c@1020"]);
    expect(clock.now()).to.equal(1_020);
  });

  it("runs at once what is past, and never goes back", async () => {
    const clock = new Scheduler(1_000);
    const seen: number[] = [];
    clock.at(5, "past", () => {
      seen.push(clock.now());
    });
    await clock.run();
    expect(seen).to.deep.equal([1_000]);
  });

  it("awaits an action to its end before the next one, and time stands still in it", async () => {
    const clock = new Scheduler(0);
    const seen: string[] = [];
    clock.at(1, "slow", async () => {
      seen.push(`begins ${clock.now()}`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`ends ${clock.now()}`);
    });
    clock.at(2, "next", () => {
      seen.push("next");
    });
    await clock.run();
    expect(seen).to.deep.equal(["begins 1", "ends 1", "next"]);
  });

  it("runs up to and including a time, and then it is that time", async () => {
    const clock = new Scheduler(0);
    const seen: number[] = [];
    for (const time of [10, 20, 21]) clock.at(time, "tick", () => void seen.push(time));
    await clock.run(20);
    expect(seen).to.deep.equal([10, 20]);
    expect([clock.now(), clock.next, clock.waiting]).to.deep.equal([20, 21, 1]);
  });

  it("stops when it is told to", async () => {
    const clock = new Scheduler(0);
    const seen: number[] = [];
    for (const time of [1, 2, 3]) clock.at(time, "tick", () => void seen.push(time));
    await clock.run(undefined, () => seen.length === 2);
    expect(seen).to.deep.equal([1, 2]);
    expect(clock.now()).to.equal(2);
  });

  it("does not run what is cancelled, though it is cancelled by an action of the same time", async () => {
    const clock = new Scheduler(0);
    const seen: string[] = [];
    clock.at(5, "first", () => {
      second.cancel();
      seen.push("first");
    });
    const second = clock.at(5, "second", () => void seen.push("second"));
    await clock.run();
    expect(seen).to.deep.equal(["first"]);
    expect([clock.waiting, clock.next]).to.deep.equal([0, undefined]);
  });

  it("names the action that failed, and when", async () => {
    const clock = new Scheduler(7);
    clock.at(9, "doomed", () => Promise.reject(new Error("no")));
    const error = await clock.run().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.deep.include({ code: "action-failed", facts: { label: "doomed", time: 9 } });
  });

  it("is a stable sort by time, whatever is cancelled", async () => {
    const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(times, async (asked) => {
        const clock = new Scheduler(0);
        const seen: number[] = [];
        const timers = asked.map(([time], i) => clock.at(time, "x", () => void seen.push(i)));
        asked.forEach(([, cancelled], i) => {
          if (cancelled) timers[i]?.cancel();
        });
        await clock.run();
        const kept = asked.flatMap(([time, cancelled], i) => (cancelled ? [] : [{ time, i }]));
        expect(seen).to.deep.equal(kept.sort((a, b) => a.time - b.time || a.i - b.i).map(({ i }) => i));
      }),
    );
  });
});
