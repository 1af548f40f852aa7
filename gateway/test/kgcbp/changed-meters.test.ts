import {
  BASIS,
  decodeReadingLeaf,
  decodeSigned,
  deliveryCodec,
  isVeilgridError,
  monthCloses,
  periodKeys,
  seedsOf,
  sha256,
  toHex,
  unmask,
  utf8,
  verifySigned,
  type Delivery,
  type Period,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { decryptWith, newCustomerKey, type CustomerKey } from "../../src/bill/encryption.js";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer, type VerifiedBill } from "../../src/customer/customer.js";
import type { ChangeRequest } from "../../src/kgcbp/change-request.js";
import type { Kgcbp } from "../../src/kgcbp/kgcbp.js";
import { encodeDeliveryWish } from "../../src/transport/delivery-wish.js";
import { paramsOf } from "../support/committee.js";
import { homeOf, type Home } from "../support/homes.js";
import { Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const at = (k: number): Period => ({ month: MARCH, k });
/** Half an hour before the epoch of 31 March is sent; that of 30 March is. */
const START = Date.UTC(2026, 2, 30, 11, 30);
const FIRST = 1438;
/** 00:00 on 31 March. */
const CHANGE = 1440;
const END = 1444;
const params = paramsOf();

/** What a meter's register shows, whoever its customer is. */
const wh = (meter: string, k: number): bigint => BigInt((sha256(utf8(meter))[0] as number) + k);
const consumption: Consumption = ({ enrolment }, { k }) => wh(enrolment.meter, k);

function draws(name: string): (count: number, draw: number) => Uint8Array {
  return (count, draw) => sha256(utf8(`${name} ${draw}`)).subarray(0, count);
}

const deviceOf = (meter: string): Promise<CustomerKey> => newCustomerKey(draws(`device of ${meter}`));

/** A home whose meter has an age identity. */
async function equipped(meter: string, region: number): Promise<Home> {
  const home = await homeOf(meter, region, at(FIRST), at(END));
  return { ...home, enrolment: { ...home.enrolment, device: (await deviceOf(meter)).recipient } };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "done";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

/** A town in which each kind of change happens before the second day, with everything that meters and customers get. */
class ChangedTown {
  readonly town: Town;
  readonly #homes: Home[];

  private constructor(homes: Home[]) {
    this.#homes = homes;
    this.town = new Town({ homes, params, start: START });
  }

  static async begin(): Promise<ChangedTown> {
    const names = ["moved", "sold", "replaced", "re-keyed", "n0", "n1", "n2", "n3", "n4"];
    const north = await Promise.all(names.map((name) => equipped(name, 1)));
    const south = await Promise.all(["removed", "s0", "s1", "s2", "s3", "s4"].map((name) => equipped(name, 2)));
    const made = new ChangedTown([...north, ...south]);
    await made.town.setUp();
    await made.town.settle();
    return made;
  }

  get kgcbp(): Kgcbp {
    return this.town.kgcbp as Kgcbp;
  }

  home(meter: string): Home {
    return this.#homes.find(({ enrolment }) => enrolment.meter === meter) as Home;
  }

  /** Makes the change; the meter takes its delivery, signed by KGCBP, and sends under it from then on. */
  async change(request: ChangeRequest, device: CustomerKey, identity?: string): Promise<Delivery> {
    const { change } = await this.kgcbp.meters.change(request);
    const plaintext = await decryptWith(device.identity, await this.kgcbp.meters.delivery(change));
    const signed = decodeSigned(deliveryCodec, plaintext, params.periodSeconds);
    expect(verifySigned("delivery", await this.town.view.consortium(), signed, params.kgcbp.key)).to.equal(true);
    const { meter } = request;
    this.#end(meter, signed.body);
    for (const { region, first, key } of signed.body.chains) {
      const known = this.home(meter) as Home | undefined;
      const base = known ?? (await homeOf(meter, region, first, undefined));
      const enrolment = { ...base.enrolment, region, from: first, to: this.#until(first, signed.body) };
      this.#homes.push({ enrolment, monthKey: key, identity: identity ?? base.identity });
    }
    return signed.body;
  }

  /** Under the keys before, the meter sends until its first chain begins, and not at all where they are out. */
  #end(meter: string, { keep, chains }: Delivery): void {
    const i = this.#homes.findIndex(({ enrolment }) => enrolment.meter === meter);
    const home = this.#homes[i];
    if (home === undefined) return;
    const { from } = home.enrolment;
    this.#homes[i] = { ...home, enrolment: { ...home.enrolment, to: keep ? chains[0]?.first : from } };
  }

  #until(first: Period, { chains }: Delivery): Period {
    const i = chains.findIndex((chain) => chain.first === first);
    return chains[i + 1]?.first ?? at(END);
  }

  /** The meter is gone. */
  async remove(meter: string): Promise<void> {
    const { change } = await this.kgcbp.meters.change({ kind: "remove", meter });
    expect(change.delivery).to.equal(undefined);
    const i = this.#homes.findIndex(({ enrolment }) => enrolment.meter === meter);
    const home = this.home(meter);
    this.#homes[i] = { ...home, enrolment: { ...home.enrolment, to: change.from } };
  }

  async live(): Promise<void> {
    await this.town.periods(at(FIRST), END - FIRST, consumption);
    await this.town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
  }

  async bill(bid: Uint8Array, identity: string): Promise<VerifiedBill> {
    const month = await CommittedMonth.open(MARCH, { view: this.town.view });
    return new Customer({ bid, identity }, this.town).verify(month);
  }
}

interface Story {
  readonly made: ChangedTown;
  readonly buyer: CustomerKey & { bid: Uint8Array };
  readonly newcomer: CustomerKey & { bid: Uint8Array };
  readonly codes: Record<string, string>;
}

async function person(name: string): Promise<CustomerKey & { bid: Uint8Array }> {
  return { ...(await newCustomerKey(draws(name))), bid: sha256(utf8(`bid of ${name}`)).subarray(0, 16) };
}

async function story(): Promise<Story> {
  const made = await ChangedTown.begin();
  const [buyer, newcomer] = [await person("buyer"), await person("newcomer")];
  const { meters } = made.kgcbp;
  const codes: Record<string, string> = {};
  const before = await made.town.store.range("");
  codes["into a sent epoch"] = await codeOf(meters.change({ kind: "remove", meter: "sold", at: at(1439) }));
  codes["of nobody"] = await codeOf(meters.change({ kind: "remove", meter: "nobody" }));
  const dry = await meters.preview({ kind: "move", meter: "moved", region: 2 });
  expect(await made.town.store.range("")).to.deep.equal(before);
  expect(dry).to.deep.include({ from: at(CHANGE), regions: [1, 2] });
  expect(dry.sent.map(({ region, first, periods }) => [region, first.k, periods])).to.deep.equal([
    [1, 1438, 2],
    [2, 1438, 2],
  ]);
  await made.change({ kind: "move", meter: "moved", region: 2 }, await deviceOf("moved"));
  const sale = { kind: "sell", meter: "sold", bid: buyer.bid, recipient: buyer.recipient } as const;
  await made.change(sale, await deviceOf("sold"), buyer.identity);
  const device = await newCustomerKey(draws("the new device"));
  const replacement = { kind: "replace", meter: "replaced", device: device.recipient, key: "fresh" } as const;
  await made.change({ ...replacement, compromised: false }, device);
  await made.change({ kind: "rekey", meter: "re-keyed", compromised: true }, await deviceOf("re-keyed"));
  const added = await deviceOf("added");
  const supply = { bid: newcomer.bid, recipient: newcomer.recipient, region: 2, device: added.recipient };
  await made.change({ kind: "add", meter: "added", ...supply }, added, newcomer.identity);
  await made.remove("removed");
  await made.kgcbp.meters.change({ kind: "remove", meter: "added", at: at(END) });
  // A crash, and the operator who asks again: nothing changes.
  const kept = await made.town.store.range("change/");
  made.town.stopKgcbp();
  await made.town.startKgcbp();
  expect((await made.kgcbp.meters.change(sale)).preview).to.equal(undefined);
  expect((await made.kgcbp.meters.change({ kind: "remove", meter: "removed" })).preview).to.equal(undefined);
  expect(await made.town.store.range("change/")).to.deep.equal(kept);
  await made.live();
  return { made, buyer, newcomer, codes };
}

/** Who counts in a region at k, with what the register shows. */
function counted(region: number, k: number): string[] {
  const steady = region === 1 ? ["n0", "n1", "n2", "n3", "n4"] : ["s0", "s1", "s2", "s3", "s4"];
  if (k < CHANGE) return region === 1 ? [...steady, "moved", "sold", "replaced"] : [...steady, "removed"];
  return region === 1 ? [...steady, "sold", "replaced", "re-keyed"] : [...steady, "moved", "added"];
}

/** What seeds open of the ledger in periods from `first` to `end`: each consumption by k. */
async function opened(town: Town, bill: VerifiedBill, first: number, end: number): Promise<Map<number, bigint>> {
  const found = new Map<number, bigint>();
  for (const leaf of bill.report.seedLeaves) {
    for (const [i, { prid, prid2, z, z2 }] of periodKeys(seedsOf(leaf), first, end - first).entries()) {
      for (const region of [1, 2]) {
        const record = await town.view.readings(region, at(first + i));
        const block = record && (await town.view.block(region, record.number));
        const said = new Map(
          (block?.block.leaves ?? []).map(decodeReadingLeaf).map((one) => [toHex(one.prid), one.rc] as const),
        );
        const [rc, rc2] = [said.get(toHex(prid)), said.get(toHex(prid2))];
        if (rc !== undefined && rc2 !== undefined) found.set(first + i, unmask(rc, rc2, z, z2));
      }
    }
  }
  return found;
}

describe("a moved, a sold, a replaced, a re-keyed, an added and a removed meter", function () {
  this.timeout(120_000);
  let told: Story;

  before(async () => {
    told = await story();
  });

  it("leave every regional sum exact on both sides of the change", async () => {
    const { view } = told.made.town;
    for (let k = FIRST; k < END; k += 1) {
      for (const region of [1, 2]) {
        const meters = counted(region, k);
        const price = await view.price(region, at(k));
        expect(price?.basis, `region ${region}, period ${k}`).to.equal(BASIS.measured);
        const sum = meters.reduce((all, meter) => all + wh(meter, k), 0n);
        expect(price?.consumption, `region ${region}, period ${k}`).to.equal(sum);
        // The re-keyed meter is silent while its old keys are listed: that, and nothing else, is a fault.
        const faulty = region === 1 && k < CHANGE;
        expect((await view.readings(region, at(k)))?.aggFault).to.equal(faulty);
      }
    }
  });

  it("leave every bill exact, each from and to its own supply", async () => {
    const { made, buyer, newcomer } = told;
    const of = (meter: string): Promise<VerifiedBill> =>
      made.bill(made.home(meter).enrolment.bid, made.home(meter).identity);
    const bills: Record<string, VerifiedBill> = { buyer: await made.bill(buyer.bid, buyer.identity) };
    bills.newcomer = await made.bill(newcomer.bid, newcomer.identity);
    for (const meter of ["moved", "sold", "replaced", "re-keyed", "removed", "n0", "s0"])
      bills[meter] = await of(meter);
    const facts = Object.entries(bills).map(([name, { report, verified, differences }]) => {
      expect(differences, name).to.deep.equal([]);
      expect(verified, name).to.equal(true);
      const leaves = report.seedLeaves.map(({ epoch, first }) => `${epoch.region}:${first}`).join(" ");
      return [name, report.supply.from, report.supply.to, report.feedback.missing, leaves];
    });
    expect(facts).to.deep.equal([
      ["buyer", CHANGE, END, 0, "1:1440"],
      ["newcomer", CHANGE, END, 0, "2:1440"],
      ["moved", FIRST, END, 0, "1:1438 2:1440"],
      ["sold", FIRST, CHANGE, 0, "1:1438"],
      ["replaced", FIRST, END, 0, "1:1438 1:1440"],
      ["re-keyed", FIRST, END, 2, "1:1438 1:1440"],
      ["removed", FIRST, CHANGE, 0, "2:1438"],
      ["n0", FIRST, END, 0, "1:1438"],
      ["s0", FIRST, END, 0, "2:1438"],
    ]);
    const meterOf: Record<string, string> = { buyer: "sold", newcomer: "added" };
    for (const [name, { report }] of Object.entries(bills)) {
      const due = report.columns.quality.map((quality, i) =>
        quality === 0 ? Number(wh(meterOf[name] ?? name, report.supply.from + i)) : 0,
      );
      expect(report.columns.consumptionWh, name).to.deep.equal(due);
    }
  });

  it("are told to each device that comes to the counter, and to no other", async () => {
    const { kgcbp } = told.made;
    const asked = async (device: string, serial = 0): Promise<Uint8Array> => {
      let response = new Uint8Array([255]);
      await kgcbp.handle("delivery", encodeDeliveryWish({ device, serial }), (bytes) => (response = bytes.slice()));
      return response;
    };
    const [moved, old, stranger] = await Promise.all(["moved", "replaced", "nobody's"].map(deviceOf));
    if (moved === undefined || old === undefined || stranger === undefined) throw new Error("no devices");
    const plaintext = await decryptWith(moved.identity, await asked(moved.recipient));
    const { body } = decodeSigned(deliveryCodec, plaintext, params.periodSeconds);
    expect([body.meter, body.device, body.serial]).to.deep.equal(["moved", moved.recipient, 1]);
    // It has taken that one; the device that another has taken the place of; one that is no meter's; no wish at all.
    expect(await asked(moved.recipient, 1)).to.have.length(0);
    expect(await asked(old.recipient)).to.have.length(0);
    expect(await asked(stranger.recipient)).to.have.length(0);
    let garbage: Uint8Array | undefined;
    await kgcbp.handle("delivery", Uint8Array.of(9), (bytes) => (garbage = bytes));
    expect(garbage).to.have.length(0);
  });

  it("let neither the seller nor the buyer open the other's periods with all that is in their bills", async () => {
    const { made, buyer } = told;
    const seller = made.home("sold");
    const bills = [await made.bill(seller.enrolment.bid, seller.identity), await made.bill(buyer.bid, buyer.identity)];
    const [sold, bought] = bills as [VerifiedBill, VerifiedBill];
    const expected = (from: number, to: number): Map<number, bigint> =>
      new Map(Array.from({ length: to - from }, (_, i) => [from + i, wh("sold", from + i)]));
    // The attack opens what is the attacker's own.
    expect(await opened(made.town, sold, FIRST, END)).to.deep.equal(expected(FIRST, CHANGE));
    expect(await opened(made.town, bought, FIRST, END)).to.deep.equal(expected(CHANGE, END));
    // Nor do they read the other's bill.
    expect(await codeOf(made.bill(buyer.bid, seller.identity))).to.equal("cannot-decrypt");
    expect(await codeOf(made.bill(seller.enrolment.bid, buyer.identity))).to.equal("cannot-decrypt");
  });

  it("are refused by code with nothing changed where they cannot be", () => {
    expect(told.codes).to.deep.equal({ "into a sent epoch": "period-sent", "of nobody": "unknown-meter" });
  });

  it("have their keys delivered to their own devices alone, as often as it takes", async () => {
    const { meters } = told.made.kgcbp;
    const sold = meters.list().find(({ meter }) => meter === "sold");
    expect(sold?.supplies.map(({ from, to }) => [from.k, to?.k])).to.deep.equal([
      [FIRST, CHANGE],
      [CHANGE, END],
    ]);
    const [change] = sold?.changes ?? [];
    if (change === undefined) throw new Error("the meter was not changed");
    const [once, again] = [await meters.delivery(change), await meters.delivery(change)];
    const { identity } = await deviceOf("sold");
    expect(toHex(await decryptWith(identity, once))).to.equal(toHex(await decryptWith(identity, again)));
    const other = await deviceOf("moved");
    expect(await codeOf(decryptWith(other.identity, once))).to.equal("cannot-decrypt");
    expect(change.from).to.deep.equal(at(CHANGE));
  });
});
