import { sha256, utf8, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { newCustomerKey } from "../../src/bill/encryption.js";
import type { ChangePreview, ChangeRequest } from "../../src/kgcbp/change-request.js";
import type { Kgcbp } from "../../src/kgcbp/kgcbp.js";
import { paramsOf } from "../support/committee.js";
import { homeOf, type Home } from "../support/homes.js";
import { Town } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const at = (k: number): Period => ({ month: MARCH, k });
/** Half an hour before the epoch of 31 March is sent; that of 30 March is. */
const START = Date.UTC(2026, 2, 30, 11, 30);
const NOON = START + 1_800_000;
const METERS = ["moved", "sold", "replaced", "kept", "re-keyed", "removed", "n0", "n1", "n2", "n3", "n4"];

async function recipientOf(name: string): Promise<string> {
  const key = await newCustomerKey((count, draw) => sha256(utf8(`${name} ${draw}`)).subarray(0, count));
  return key.recipient;
}

async function equipped(meter: string): Promise<Home> {
  const home = await homeOf(meter, 1, at(1438), at(1446));
  return { ...home, enrolment: { ...home.enrolment, device: await recipientOf(meter) } };
}

async function townOf(): Promise<Town> {
  const town = new Town({ homes: await Promise.all(METERS.map(equipped)), params: paramsOf(), start: START });
  await town.setUp();
  await town.settle();
  return town;
}

function kgcbpOf({ kgcbp }: Town): Kgcbp {
  if (kgcbp === undefined) throw new Error("KGCBP is stopped");
  return kgcbp;
}

async function requests(): Promise<ChangeRequest[]> {
  const device = await recipientOf("another device");
  const buyer = { bid: sha256(utf8("buyer")).subarray(0, 16), recipient: await recipientOf("buyer") };
  return [
    { kind: "move", meter: "moved", region: 2 },
    { kind: "sell", meter: "sold", ...buyer },
    { kind: "replace", meter: "replaced", device, key: "fresh", compromised: false },
    { kind: "replace", meter: "kept", device, key: "kept", compromised: false },
    { kind: "rekey", meter: "re-keyed", compromised: false },
    { kind: "remove", meter: "removed" },
  ];
}

async function metersOf(town: Town): Promise<(number | undefined)[]> {
  await town.runTo(NOON + 60_000);
  const epochs = await Promise.all([1, 2].map((region) => town.view.epochAt(region, at(1440))));
  return epochs.map((found) => found?.epoch.meters);
}

describe("an eliminated meter that changes", function () {
  this.timeout(60_000);

  it("counts again with a new device or a new key, and stays out where it is moved or sold", async () => {
    const town = await townOf();
    const { elimination, meters } = kgcbpOf(town);
    for (const meter of METERS.slice(0, 6)) await elimination.eliminate(meter);
    const previews: (ChangePreview | undefined)[] = [];
    for (const request of await requests()) {
      const preview = await meters.preview(request);
      expect((await meters.change(request)).preview).to.deep.equal(preview);
      previews.push(preview);
    }
    expect(previews.map((preview) => preview?.elimination)).to.deep.equal([
      "goes-on",
      "goes-on",
      "ends",
      "goes-on",
      "ends",
      undefined,
    ]);
    // A restart knows it still.
    town.stopKgcbp();
    await town.startKgcbp();
    // The five that were never eliminated, the replaced and the re-keyed one.
    expect(await metersOf(town)).to.deep.equal([7, undefined]);
  });

  it("counts where it is now once it is reinstated", async () => {
    const town = await townOf();
    const { elimination, meters } = kgcbpOf(town);
    const [move, sell] = await requests();
    for (const request of [move, sell] as ChangeRequest[]) {
      await elimination.eliminate(request.meter);
      await meters.change(request);
    }
    expect(await elimination.reinstate("moved")).to.deep.equal({ meter: "moved", regions: [1, 2], from: at(1440) });
    expect(await metersOf(town)).to.deep.equal([9, 1]);
  });

  it("stays out where it was eliminated after the change was made", async () => {
    const town = await townOf();
    const { elimination, meters } = kgcbpOf(town);
    const [, , replace] = await requests();
    await meters.change(replace as ChangeRequest);
    await elimination.eliminate("replaced");
    expect(await metersOf(town)).to.deep.equal([10, undefined]);
  });
});
