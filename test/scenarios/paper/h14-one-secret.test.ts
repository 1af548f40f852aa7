import { expect } from "chai";
import { deriveSeeds, sha256, utf8, type Seeds } from "@veilgrid/protocol";
import { Meter as SmartMeter, MonthKeys } from "@veilgrid/meter-client";
import { MemoryStore, Scheduler, SeededRandom } from "@veilgrid/gateway";
import { MONTH, periodAt, startedChain } from "../../src/consortium/chain.js";
import { failureOf } from "../../src/consortium/refused.js";
import { opened, openedBy, readingsUnder, type Public } from "../../src/paper/seized.js";

/*
 * The paper (section 5, Key generation and Data aggregation c): a meter is given s, s', r, r' once; they stay in it, and all
 * its keys and masks of all months follow from them.
 * Ours (PROTOCOL section 4, Key generation): month keys are a ratchet, and the meter deletes one after its month.
 */

const PERIODS = 24;
const METERS = ["seized", "of others", "of more"];

/** Each meter's consumption by period, Wh. */
const consumptions = METERS.map((_, i) => Array.from({ length: PERIODS }, (__, k) => BigInt(100 * i + 7 * k)));

/** The month on the blockchain, with each meter's seeds. */
function publicMonth(seedsOf: (meter: string) => Seeds): Public {
  return new Map(METERS.flatMap((meter, i) => readingsUnder(seedsOf(meter), consumptions[i] as bigint[])));
}

describe("H14: one secret for all months", () => {
  it("the paper's rule gives way", () => {
    // What the meter holds in June is what it held in April.
    const held = (meter: string): Seeds => {
      const seed = (name: string): Uint8Array => sha256(utf8(`${name} of ${meter}`));
      return { s0: seed("s"), s1: seed("s'"), r0: seed("r"), r1: seed("r'") };
    };
    const april = publicMonth(held);
    expect(april.size).to.equal(2 * PERIODS * METERS.length);
    expect(opened(april, held("seized"), PERIODS)).to.deep.equal(consumptions[0]);
  });

  it("ours holds", async () => {
    const { consortium, params } = await startedChain();
    const keyOf = (meter: string): Uint8Array => sha256(utf8(`month key of ${meter}`));
    const april = publicMonth((meter) => deriveSeeds(keyOf(meter), consortium, MONTH));
    const store = new MemoryStore();
    const clock = new Scheduler(Date.UTC(2013, 3, 30, 23, 45));
    const meter = new SmartMeter(
      { name: "seized", consortium, region: 1, params, key: { month: MONTH, key: keyOf("seized") } },
      // Nobody answers, so that it tries to the window's end.
      { clock, store, random: SeededRandom.of("seized"), transport: { request: () => undefined } },
    );
    const openedNow = async (): Promise<bigint[]> => {
      const memory = (await store.range("")).map(({ value }) => value);
      expect(memory, "what lies in the meter").not.to.deep.equal([]);
      return openedBy(memory, april, { consortium, month: MONTH, periods: PERIODS });
    };
    await meter.start();
    // In April's last window a seized meter opens its April, as it must to send.
    await clock.run(Date.UTC(2013, 4, 1, 0, 0));
    await meter.record(periodAt(1439), 640n);
    await clock.run(Date.UTC(2013, 4, 1, 0, 9));
    expect(await openedNow()).to.deep.equal(consumptions[0]);
    // Ten minutes after the month nothing in it does.
    await clock.run(Date.UTC(2013, 4, 1, 0, 10));
    expect(await openedNow()).to.deep.equal([]);
    // The meter's own log of April stays for as long as the ledger's values do, two months.
    expect(meter.consumption(periodAt(1439))).to.equal(640n);
    await clock.run(Date.UTC(2013, 6, 1, 0, 30));
    await meter.record({ month: MONTH + 3, k: 0 }, 1n);
    expect(meter.consumption(periodAt(1439))).to.equal(undefined);
    expect((await store.range("")).filter(({ key }) => key.includes(`${MONTH}`))).to.deep.equal([]);
    // And what it goes on with does not lead back.
    const keys = new MonthKeys(consortium, { month: MONTH, key: keyOf("seized") });
    keys.deleteBefore(MONTH + 1);
    const back = Promise.resolve().then(() => keys.leavesAt(periodAt(0)));
    expect((await failureOf(back)).code).to.equal("key-deleted");
  });
});
