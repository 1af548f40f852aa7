import { expect } from "chai";
import { READING_BYTES, readingCodec, toHex } from "@veilgrid/protocol";
import { Meter as SmartMeter, type MeterClock } from "@veilgrid/meter-client";
import { MemoryStore, SeededRandom, type Packet, type Scheduler } from "@veilgrid/gateway";
import { MONTH, periodAt, startedChain } from "../../src/consortium/chain.js";
import { Aggregators } from "../../src/paper/aggregators.js";
import { pairedRight, type Sighting } from "../../src/paper/pairing.js";
import { mean } from "../../src/paper/statistics.js";

/*
 * The paper (section 5, Data aggregation d): each transaction carries ts, the meter's time. A meter's clock is a little off,
 * by the same in both halves, and whoever receives them knows the right time.
 * Ours (PROTOCOL section 3): a reading carries no time; a meter sends its halves at two independent random times.
 */

const random = SeededRandom.of("clocks");

/** By how much a meter's clock is ahead, milliseconds: at most five seconds, as of one set once and left alone. */
function offsetOf(meter: number, town = 0): number {
  return random.below(10_001, "offset", town, meter) - 5_000;
}

/** What the paper's aggregator computes of each half in a town: arrival less ts. The network takes 5 to 50 ms. */
function paperSightings(meters: number, town: number): Sighting[] {
  return Array.from({ length: 2 * meters }, (_, i) => {
    const meter = i >> 1;
    const sent = random.below(600_000, "sent", town, i);
    const ts = sent + offsetOf(meter, town);
    const arrival = sent + 5 + random.below(46, "latency", town, i);
    return { meter, seen: arrival - ts };
  });
}

/** The machine's time as a meter sees it whose clock is off. */
function clockOf(scheduler: Scheduler, meter: number): MeterClock {
  const offset = offsetOf(meter);
  return {
    now: () => scheduler.now() + offset,
    at: (time, label, action) => scheduler.at(time - offset, label, action),
  };
}

const PERIODS = 8;
const METERS = 20;

/** Real meters send through real aggregators; every DA tells the attacker when each half was first sent. */
async function realSightings(): Promise<Sighting[][]> {
  const chain = await startedChain({}, METERS);
  await chain.commit(chain.epoch({ periods: PERIODS }));
  const grid = await Aggregators.over(chain);
  const seen = new Map<string, Sighting & { readonly k: number }>();
  grid.network.drop(({ from, method, direction, bytes }: Packet) => {
    if (method !== "reading" || direction !== "request") return false;
    const { prid, period } = readingCodec.decode(bytes.subarray(0, READING_BYTES));
    const name = toHex(prid);
    const meter = Number(from.slice("meter/".length));
    if (!seen.has(name)) seen.set(name, { meter, k: period.k, seen: grid.clock.now() - grid.window(period.k).opens });
    return false;
  });
  const { consortium, params } = chain;
  const meters = chain.meters.map(({ monthKey }, i) => {
    const options = { name: `${i}`, consortium, region: 1, params, key: { month: MONTH, key: monthKey } };
    const transport = grid.network.transport(`meter/${i}`);
    const clock = clockOf(grid.clock, i);
    return new SmartMeter(options, { clock, transport, store: new MemoryStore(), random: grid.random });
  });
  for (const meter of meters) await meter.start();
  for (let k = 0; k < PERIODS; k += 1) {
    await grid.clock.run(grid.window(k).opens);
    for (const [i, meter] of meters.entries()) await meter.record(periodAt(k), BigInt(100 * i));
  }
  await grid.clock.run(grid.window(PERIODS - 1).freezes + 10_000);
  return Array.from({ length: PERIODS }, (_, k) => [...seen.values()].filter((one) => one.k === k));
}

describe("H9: a time stamp in each half", () => {
  it("the paper's rule gives way", () => {
    const paired = (meters: number): number =>
      mean(Array.from({ length: 50 }, (_, town) => pairedRight(paperSightings(meters, town))));
    expect(paired(20)).to.be.closeTo(0.95, 0.02);
    expect(paired(100)).to.be.closeTo(0.74, 0.02);
  });

  it("ours holds", async () => {
    const periods = await realSightings();
    expect(periods.map((sightings) => sightings.length)).to.deep.equal(Array.from({ length: PERIODS }, () => 40));
    // By chance one in 39 is right. Neither the time of sending helps, nor where in a second it is.
    expect(mean(periods.map(pairedRight))).to.be.below(0.08);
    const inSeconds = periods.map((all) => all.map((one) => ({ ...one, seen: (one.seen + 60_000) % 1_000 })));
    expect(mean(inSeconds.map(pairedRight))).to.be.below(0.08);
    // A reading has no room for a time: version, region, period, PRID and masked value.
    expect(READING_BYTES).to.equal(1 + 2 + 6 + 32 + 8);
  });
});
