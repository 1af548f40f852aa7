import { DEFAULT_TARIFF, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { newCustomerKey } from "../../src/bill/encryption.js";
import { StoredKeys } from "../../src/kgcbp/keys.js";
import { Kgcbp } from "../../src/kgcbp/kgcbp.js";
import type { Store } from "../../src/ports/store.js";
import { ScaledClock } from "../../src/process/clock.js";
import { SECRETS, paramsOf } from "../support/committee.js";
import { homeOf } from "../support/homes.js";
import { sealed } from "../support/sealed.js";
import { random, Town } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const NOON = Date.UTC(2026, 2, 30, 12);
const FIRST: Period = { month: MARCH, k: 1428 };

/** A store on a disk that takes its time. */
function slow(store: Store): Store {
  return {
    get: (key) => store.get(key),
    range: (prefix) => store.range(prefix),
    write: async (changes) => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      await store.write(changes);
    },
  };
}

describe("an epoch that is due while its region's meters change", () => {
  it("is composed once, in a process whose timers do not wait for its operator", async () => {
    const homes = await Promise.all(["a", "b", "c", "d", "e"].map((name) => homeOf(name, 1, FIRST, undefined)));
    const town = new Town({ homes, params: paramsOf(), start: NOON });
    await town.setUp();
    await town.settle();
    town.stopKgcbp();
    const failures: unknown[] = [];
    const clock = new ScaledClock(
      { origin: Date.now(), start: NOON, factor: 1 },
      { onFailure: (_, error) => failures.push(error) },
    );
    const consortium = await town.view.consortium();
    const store = await sealed(consortium, slow(town.store), town.shelf);
    const { view, content, network } = town;
    const sent: unknown[] = [];
    const kgcbp = await Kgcbp.open(
      { secret: SECRETS.kgcbp, tariff: DEFAULT_TARIFF, timeZone: "UTC", seed: random },
      {
        ...{ clock, view, content, store, keys: new StoredKeys(store, consortium) },
        transport: network.transport("kgcbp"),
        log: (_, event, facts) => {
          if (event === "epoch-sent" && facts?.region === 2) sent.push(facts);
        },
      },
    );
    await kgcbp.start();
    const { recipient } = await newCustomerKey();
    for (let n = 0; n < 12; n += 1) {
      const meter = `n${n}`;
      const bid = random.bytes(16, meter);
      const change = kgcbp.meters.change({ kind: "add", meter, region: 2, device: recipient, recipient, bid });
      await new Promise((resolve) => setImmediate(resolve));
      if (n % 3 === 2) await change;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    kgcbp.stop();
    await clock.stop();
    expect(failures).to.deep.equal([]);
    expect(sent).to.have.length(1);
  });
});
