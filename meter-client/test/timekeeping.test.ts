import { expect } from "chai";
import fc from "fast-check";
import { daAddress } from "@veilgrid/protocol";
import { decodeTimeReply } from "../src/answers.js";
import { ClockOffset, MAX_STEP_MS, median } from "../src/clockoffset.js";
import { Timekeeping } from "../src/timekeeping.js";
import { Aggregators, PARAMS, VirtualClock, accept } from "./world.js";

const START = Date.UTC(2026, 2, 29);
const DAY = 86_400_000;

function world(): { clock: VirtualClock; das: Aggregators; time: Timekeeping } {
  const clock = new VirtualClock(START);
  const das = new Aggregators(clock);
  return { clock, das, time: new Timekeeping({ das: () => PARAMS.da.map(daAddress) }, { clock, transport: das }) };
}

/** Lets so many periods go by for the clock. */
function steps(time: Timekeeping, count: number): void {
  for (let i = 0; i < count; i += 1) time.step();
}

describe("clock offset", () => {
  it("is the middle of what was said", () => {
    expect(median([5, 1, 9])).to.equal(5);
    expect(median([4, 1, 3, 2])).to.equal(2);
    expect(median([])).to.equal(undefined);
  });

  it("stays between honest clocks whatever f of 2f+1 or more say", () => {
    const rounds = fc.integer({ min: 0, max: 4 }).chain((faulty) =>
      fc.record({
        faulty: fc.constant(faulty),
        honest: fc.array(fc.integer({ min: -5000, max: 5000 }), { minLength: faulty + 1, maxLength: 3 * faulty + 1 }),
        lies: fc.array(fc.integer(), { minLength: faulty, maxLength: faulty }),
      }),
    );
    fc.assert(
      fc.property(rounds, ({ faulty, honest, lies }) => {
        const offset = new ClockOffset(() => 2 * faulty + 1);
        offset.follow([...honest, ...lies]);
        for (let i = 0; i < 10; i += 1) offset.step();
        const within = offset.ms >= Math.min(0, ...honest) && offset.ms <= Math.max(0, ...honest);
        expect(within, `${offset.ms} of ${honest.join()}`).to.equal(true);
        const settled = offset.ms >= Math.min(...honest) && offset.ms <= Math.max(...honest);
        expect(settled).to.equal(true);
      }),
    );
  });

  it("moves at most a second a period, and not past its target", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), (difference) => {
        const offset = new ClockOffset(() => 1);
        offset.follow([difference]);
        for (let i = 0; i < 120; i += 1) {
          const before = offset.ms;
          offset.step();
          expect(Math.abs(offset.ms - before)).to.be.at.most(MAX_STEP_MS);
        }
        expect(offset.ms).to.equal(difference);
      }),
    );
  });

  it("ignores a round of too few answers", () => {
    const offset = new ClockOffset(() => 3);
    offset.follow([700, 700]);
    offset.step();
    expect(offset.ms).to.equal(0);
  });
});

describe("timekeeping", () => {
  it("reads only times", () => {
    expect(decodeTimeReply(Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2))).to.equal(258);
    expect(decodeTimeReply(new Uint8Array(8).fill(255))).to.equal(undefined);
    expect(decodeTimeReply(new Uint8Array(9))).to.equal(undefined);
  });

  it("follows the median of the DAs, whatever one of them says", async () => {
    const { clock, das, time } = world();
    das.offsets = [1500, 1600, 1700, 10_000_000];
    time.ask();
    await clock.run(START + 60_000);
    expect(time.now()).to.equal(clock.now());
    steps(time, 1);
    expect(time.now()).to.equal(clock.now() + 1000);
    steps(time, 3);
    expect(time.now()).to.equal(clock.now() + 1600);
  });

  it("runs actions by its own time", async () => {
    const { clock, das, time } = world();
    das.offsets = [800, 800, 800, 800];
    time.ask();
    await clock.run(START + 60_000);
    steps(time, 1);
    let ran = 0;
    time.at(START + 100_000, "test", () => {
      ran = clock.now();
    });
    await clock.run(START + 200_000);
    expect(ran).to.equal(START + 99_200);
  });

  it("takes three of four answers, and after five seconds no more", async () => {
    const { clock, das, time } = world();
    das.offsets = [500, 500, 500, Number.NaN];
    const late = das.request.bind(das);
    das.request = (to, method, request, onResponse) => {
      if (to === "da/da3") clock.at(START + 30_000, "late", () => onResponse?.(new Uint8Array(8)));
      else late(to, method, request, onResponse);
    };
    time.ask();
    await clock.run(START + 60_000);
    steps(time, 1);
    expect(time.now()).to.equal(clock.now() + 500);
  });

  it("hears a DA once", async () => {
    const { clock, das, time } = world();
    das.behaviour = () => accept;
    das.request = (to, _method, _request, onResponse) => {
      const answers = to === "da/da0" ? 3 : 0;
      for (let i = 0; i < answers; i += 1) clock.at(START + 20, "again", () => onResponse?.(new Uint8Array(8)));
    };
    time.ask();
    await clock.run(START + 60_000);
    steps(time, 5);
    expect(time.now()).to.equal(clock.now());
  });

  it("asks once a day, and after window answers at most once a minute", async () => {
    const { clock, das, time } = world();
    expect(time.due).to.equal(true);
    time.ask();
    time.ask();
    await clock.run(START + 1000);
    expect(das.timeAsked.length).to.equal(4);
    expect(time.due).to.equal(false);
    await clock.run(START + 61_000);
    time.ask();
    await clock.run(START + 62_000);
    expect(das.timeAsked.length).to.equal(8);
    await clock.run(START + 61_000 + DAY);
    expect(time.due).to.equal(true);
    time.askLater(5000);
    time.askLater(7000);
    expect(time.due).to.equal(false);
    await clock.run(START + 70_000 + DAY);
    expect(das.timeAsked.slice(8)).to.deep.equal(new Array(4).fill(START + 66_000 + DAY));
  });

  it("forgets a planned asking when it stops", async () => {
    const { clock, das, time } = world();
    time.askLater(5000);
    time.stop();
    await clock.run(START + 60_000);
    expect(das.timeAsked).to.deep.equal([]);
  });
});
