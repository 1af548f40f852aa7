import { BASIS, addPeriods, fromHex, toHex, type Params, type Period } from "@veilgrid/protocol";
import { newCustomerKey } from "@veilgrid/gateway";
import { expect } from "chai";
import { readFileSync, rmSync } from "node:fs";
import { EnrolledMeter } from "../src/services/enrolled.js";
import { isBilled, leavesOf, standing, strays, until } from "../src/services/living.js";
import { Site } from "../src/services/site.js";

const METERS = 6;
const PERIODS = 2;

function consumption(meter: number, n: number): bigint {
  return BigInt(100 + 10 * meter + n);
}

describe("a consortium of real processes", function () {
  this.timeout(240_000);
  let site: Site;
  let ledger: Awaited<ReturnType<Site["openLedger"]>>;
  let meter: EnrolledMeter;
  let bid: string;
  let nextKey: Uint8Array;

  before(async () => {
    site = await Site.make({ meters: METERS, periods: PERIODS, factor: 150 });
    nextKey = site.giveKey("da1");
    await site.start(consumption);
    ledger = await site.openLedger();
  });

  after(async () => {
    await meter.process.stop();
    await site.stop();
  });

  it("has a meter enrolled while it runs, which gets its keys, and fresh ones, over TLS", async () => {
    meter = await EnrolledMeter.at(site, "N1");
    meter.process.start();
    const { recipient } = await newCustomerKey();
    const order = [
      "kgcbp",
      "meter",
      "add",
      "N1",
      "--region",
      "2",
      "--customer",
      recipient,
      "--device",
      meter.device.recipient,
    ];
    bid = (await site.operate<{ readonly bid: string }>("kgcbp", ...order)).bid;
    const delivered = async (serial: number): Promise<void> =>
      until(
        async () => (await meter.health())?.delivery === serial,
        60_000,
        () => meter.process.logged,
      );
    await delivered(1);
    expect(await site.operate("kgcbp", "kgcbp", "meter", "rekey", "N1")).to.include({
      kind: "rekey",
      again: false,
      dryRun: false,
    });
    // A meter asks at once when it starts.
    await meter.process.kill();
    meter.process.start();
    await delivered(2);
  });

  it("has a price for each period and a bill for each customer, though every process is killed once", async () => {
    const [, ...roles] = site.services;
    for (const service of roles) {
      await service.kill();
      service.start();
    }
    await until(
      () => isBilled(site, ledger.view),
      200_000,
      () => standing(site, ledger.view),
    );
    for (const [n, period] of site.periods.entries()) {
      expect(await strays(site, ledger.view, period)).to.deep.equal([]);
      const leaves = (await leavesOf(ledger.view, period)) ?? [];
      const price = await ledger.view.price(1, period);
      // Who was receipted in time is complete; with all of them the sum is exact.
      if (leaves.length < 2 * METERS) continue;
      expect(price).to.include({ basis: BASIS.measured });
      const sum = Array.from({ length: METERS }, (_, meter) => consumption(meter, n)).reduce((a, b) => a + b, 0n);
      expect(price?.consumption).to.equal(sum);
    }
  });

  it("has the readings of the meter that was enrolled, and its customer's bill", async () => {
    const first = addPeriods(site.periods[0] as Period, -2, site.params.periodSeconds);
    const counts: number[] = [];
    for (let n = 0; n < 2 + PERIODS; n += 1) {
      counts.push((await ledger.view.readings(2, addPeriods(first, n, site.params.periodSeconds)))?.count ?? 0);
    }
    expect(counts.at(-1), (await standing(site, ledger.view)) + meter.process.logged).to.equal(2);
    expect(await ledger.view.bill(fromHex(bid), first.month)).to.include({ revision: 0 });
  });

  it("adopts a version of the parameter set with a new key, each operator by the own service's door", async () => {
    const file = site.file("next.hex");
    const rotate = `da/DA1MSP=${toHex(nextKey)}`;
    const proposed = await site.operate("da0", "params", "propose", file, "--rotate", rotate, "--set", "closeMonths=1");
    expect(proposed).to.deep.include({ version: 2, unproven: ["da/DA1MSP"] });
    expect(await site.operate("da1", "params", "prove", file)).to.deep.include({ unproven: [] });
    const approved = await Promise.all(
      ["da0", "da1", "da3"].map((da) => site.operate<{ readonly quorum: number }>(da, "params", "approve", file)),
    );
    expect(approved.map(({ quorum }) => quorum)).to.deep.equal([3, 3, 3]);
    const current = (): Promise<Params> => ledger.view.currentParams();
    await until(
      async () => (await current()).version === 2,
      60_000,
      async () => `version ${(await current()).version}`,
    );
    const shown = (): Promise<{ readonly version: number }> => site.operate("da0", "params", "show");
    await until(
      async () => (await shown()).version === 2,
      30_000,
      () => "da0 does not follow",
    );
    const { closeMonths, da } = await current();
    expect([closeMonths, toHex(da[1]?.key as Uint8Array)]).to.deep.equal([1, toHex(nextKey)]);
  });

  it("shows its work in numbers", async () => {
    const [, da] = site.services;
    const text = (await da?.page("metrics"))?.text ?? "";
    expect(text).to.match(/^veilgrid_blocks_total\{region="1",kind="readings",.*\} [12]$/m);
    expect(text).to.match(/^veilgrid_term\{.*\} [1-9]/m);
    const health = JSON.parse((await da?.page("health"))?.text ?? "{}") as object;
    expect(health).to.include({ status: "ok", role: "da", msp: "DA0MSP", waitingFor: "" });
  });

  it("stops when it is told to, with nothing left to say", async () => {
    expect(await site.operate("kgcbp", "kgcbp", "backup"))
      .to.have.property("entries")
      .that.is.above(METERS);
    await ledger.close();
    const codes = await site.stop();
    expect(codes).to.deep.equal({ ledger: 0, da0: 0, da1: 0, da2: 0, da3: 0, cc: 0, kgcbp: 0 });
    expect(
      (await site.operate<{ readonly error: { readonly code: string } }>("kgcbp", "kgcbp", "cases")).error.code,
    ).to.equal("not-running");
  });

  it("is restored from KGCBP's backup on a new machine, to the last entry", async () => {
    const kept = await site.kgcbpEntries();
    rmSync(site.file("kgcbp", "data"), { recursive: true });
    expect(await site.operate("kgcbp", "kgcbp", "restore")).to.include({ dryRun: false });
    expect(await site.kgcbpEntries()).to.deep.equal(kept);
    expect(kept.length).to.be.above(METERS);
  });

  it("never logged a secret, nor a BID", () => {
    const secrets = ["da0", "da1", "da2", "da3", "cc", "kgcbp"].map((name) =>
      readFileSync(site.file(name, "secret"), "utf8").trim(),
    );
    secrets.push(readFileSync(site.file("da1", "next"), "utf8").trim());
    const given = JSON.parse(readFileSync(site.file("meters", "meters.json"), "utf8")) as { readonly key: string }[];
    const needles = [...secrets, ...given.map(({ key }) => key), ...site.bids().map(toHex), bid];
    for (const { name, logged } of site.services) {
      expect(logged.length, name).to.be.above(100);
      expect(
        needles.filter((needle) => logged.includes(needle)),
        name,
      ).to.deep.equal([]);
    }
  });
});
