import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSigned, deliveryCodec, paramsCodec, toHex, type Period } from "@veilgrid/protocol";
import { stringify } from "yaml";
import { decryptWith, newCustomerKey, type CustomerKey } from "../../src/bill/encryption.js";
import { meterLogJson, type LoggedPeriod } from "../../src/input/meter-log.js";
import { Backup } from "../../src/kgcbp/backup.js";
import type { OperatedKgcbp } from "../../src/kgcbp/operator.js";
import type { Kgcbp } from "../../src/kgcbp/kgcbp.js";
import { silent } from "../../src/ports/log.js";
import { Door } from "../../src/process/door.js";
import { askDoor } from "../../src/process/door-client.js";
import { fromLine, toLine } from "../../src/process/door-messages.js";
import { MemoryStore } from "../../src/store/memory.js";
import { ServedKgcbp } from "../../src/service/kgcbp-operator.js";
import { kgcbpRequests, kgcbpThrough } from "../../src/service/kgcbp-requests.js";
import { encodeDeliveryWish } from "../../src/transport/delivery-wish.js";
import { failing, rows, typed } from "../cli/command.js";
import { paramsOf } from "../support/committee.js";
import { homeOf } from "../support/homes.js";
import { problemIn, scratch } from "../support/scratch.js";
import { Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const NOON = Date.UTC(2026, 2, 30, 12);
/** 18:00 of 30 March. */
const FIRST: Period = { month: MARCH, k: 1428 };
const END: Period = { month: MARCH, k: 1446 };
const params = paramsOf();
const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/** The third home says nothing. */
const consumption: Consumption = ({ enrolment: { meter } }, { k }) => (meter === "c" ? undefined : BigInt(k));

/** What is absent is not told. */
function told(value: unknown): unknown {
  return fromLine(toLine(value));
}

describe("a running KGCBP's operator", function () {
  this.timeout(60_000);
  const folder = scratch();
  let town: Town;
  let door: Door;
  let backup: Backup;
  let kgcbp: OperatedKgcbp;
  let config: string;
  let customer: CustomerKey;
  let device: CustomerKey;

  const role = (): Kgcbp => town.kgcbp as Kgcbp;

  before(async () => {
    const homes = await Promise.all(NAMES.map((name) => homeOf(name, 1, FIRST, END)));
    town = new Town({ homes, params, start: NOON });
    await town.setUp();
    await town.settle();
    await town.periods(FIRST, 1, consumption);
    customer = await newCustomerKey();
    device = await newCustomerKey();
    const data = join(folder.path, "data");
    door = await Door.open(data, { log: silent, onFailure: () => undefined, waitingFor: () => "" });
    const place = { folder: join(folder.path, "backup"), consortium: await town.view.consortium() };
    backup = await Backup.open(place, { keys: { store: new MemoryStore(), sync: false } });
    door.admit(kgcbpRequests(new ServedKgcbp(role(), backup)));
    kgcbp = kgcbpThrough((request, given) => askDoor(data, request, given));
    config = join(folder.path, "kgcbp.yaml");
    await writeFile(join(folder.path, "params.bin"), paramsCodec.encode(params));
    const tls = { listen: "127.0.0.1:0", certificate: "own.pem", key: "own.key" };
    await writeFile(
      config,
      stringify({
        ...{ role: "kgcbp", msp: "KgcbpMSP", secretFile: "secret", params: "params.bin", data: "data" },
        ...{ ledger: { kind: "fabric", profile: "profile.json" }, organisations: tls, meters: tls, peers: [] },
        ...{ http: { listen: "127.0.0.1:0" }, timeZone: "UTC", content: { folder: "ipfs" } },
        ...{ vault: "vault", backup: "backup" },
      }),
    );
  });
  after(async () => {
    await door.close();
    await backup.close();
  });

  const added = (): Parameters<OperatedKgcbp["change"]>[0]["order"] => ({
    ...{ kind: "add", meter: "N", region: 2, customer: customer.recipient, device: device.recipient },
  });

  it("sees the cases, as they are, and those that logs were compared with", async () => {
    const [seen] = await kgcbp.cases();
    expect(seen).to.deep.equal(told((await role().cases.list())[0]));
    expect(seen?.meters.map(({ meter, fault }) => [meter, fault])).to.deep.equal([["c", "silent"]]);
    expect(await kgcbp.compare({ region: 1, period: FIRST, logs: [] })).to.deep.equal(seen);
    const logged: LoggedPeriod = { consumption: undefined, proofs: [undefined, undefined], refusals: [] };
    const log = meterLogJson({ meter: "c", of: () => logged }, [FIRST]);
    const compared = await kgcbp.compare({ region: 1, period: FIRST, logs: [log] });
    expect(compared.meters[0]?.finding).to.include({ reason: "no-reading", blame: "meter" });
    const bad = { ...log, periods: [{ ...log.periods[0], k: -1 }] } as typeof log;
    expect((await problemIn(kgcbp.compare({ region: 1, period: FIRST, logs: [bad] }))).code).to.equal("bad-meter-log");
  });

  it("enrols a meter once, whose device then gets its keys at the counter", async () => {
    const before = role().meters.list();
    const { preview } = await kgcbp.change({ order: added(), dryRun: true });
    expect(preview).to.deep.include({ kind: "add", meter: "N", from: { month: MARCH, k: 1430 }, regions: [2] });
    expect(role().meters.list()).to.deep.equal(before);
    const first = await kgcbp.change({ order: added(), dryRun: false });
    expect(first.bid).to.have.length(16);
    const again = await kgcbp.change({ order: added(), dryRun: false });
    expect([again.preview, again.bid]).to.deep.equal([undefined, first.bid]);
    const wish = encodeDeliveryWish({ device: device.recipient, serial: 0 });
    let delivered: Uint8Array = new Uint8Array();
    await role().handle("delivery", wish, (response) => (delivered = response));
    const { body } = decodeSigned(deliveryCodec, await decryptWith(device.identity, delivered), params.periodSeconds);
    expect(body).to.deep.include({ meter: "N", device: device.recipient, serial: 1 });
    const standing = (await kgcbp.meters()).find(({ meter }) => meter === "N");
    expect(standing).to.deep.equal(told(role().meters.list().at(-1)));
  });

  it("is refused by code, with nothing changed", async () => {
    const before = role().meters.list();
    const refusals: readonly (readonly [code: string, order: object])[] = [
      ["known-meter", { ...added(), customer: device.recipient }],
      ["known-device", { ...added(), meter: "M" }],
      ["bad-recipient", { ...added(), meter: "M", device: customer.recipient, customer: "Smith" }],
      ["bad-recipient", { ...added(), meter: "M", device: `${device.recipient.slice(0, -1)}q` }],
      ["bad-request", { ...added(), like: "a" }],
      ["bad-request", { ...added(), region: 0 }],
      ["supply-ended", { kind: "rekey", meter: "a", compromised: false }],
      ["period-sent", { kind: "remove", meter: "a", at: { month: MARCH, k: 1431 } }],
      ["unknown-meter", { kind: "move", meter: "z", region: 2 }],
    ];
    for (const [code, order] of refusals) {
      const refused = kgcbp.change({ order: order as ReturnType<typeof added>, dryRun: false });
      expect((await problemIn(refused)).code, JSON.stringify(order)).to.equal(code);
    }
    expect(role().meters.list()).to.deep.equal(before);
  });

  it("leaves a meter out, lets it in again, and settles its log", async () => {
    const asked = { meter: "c", counts: false, dryRun: false };
    const done = await kgcbp.count({ ...asked, dryRun: true });
    expect(await kgcbp.count(asked)).to.deep.equal(done);
    expect((await problemIn(kgcbp.count(asked))).code).to.equal("already-eliminated");
    await kgcbp.count({ ...asked, counts: true });
    const values = [{ period: FIRST, wh: -12n }];
    const settle = { meter: "c", values, dryRun: true };
    expect(await kgcbp.settle(settle)).to.deep.equal([{ period: FIRST, wh: -12n, status: "settled" }]);
    expect((await problemIn(kgcbp.settle({ ...settle, reason: "" }))).code).to.equal("bad-reason");
  });

  it("sees the months, erases none that is retained, and has a base copy taken", async () => {
    expect(await kgcbp.months()).to.deep.equal(await role().retention.list());
    const erased = kgcbp.erase({ month: MARCH, early: false, force: false, dryRun: false });
    expect((await problemIn(erased)).code).to.equal("retained");
    expect(await kgcbp.copy()).to.deep.include({ number: 0n, entries: 1 });
  });

  it("has the commands of a folder, by the service's configuration", async () => {
    const shown = rows(await typed(`kgcbp cases --config ${config}`));
    expect(shown[1]).to.match(/^(open|closed) \| 1 \| 2026-03-30T18:00Z \| c \(silent\) \| /);
    const { bid } = role().meters.list().at(-1)?.supplies[0] ?? { bid: new Uint8Array() };
    const again = `kgcbp meter add N --region 2 --customer ${customer.recipient} --device ${device.recipient}`;
    expect(await typed(`${again} --config ${config}`)).to.equal(
      "add N: known already, holds from 2026-03-30T19:00Z\n" +
        `  the customer's BID, by which the bills are found: ${toHex(bid)}\n`,
    );
    const sent = await failing(`kgcbp eliminate c --from 2026-03-30T19:00 --config ${config}`);
    expect([sent.code, sent.error.code]).to.deep.equal([2, "period-sent"]);
    expect((await failing(`kgcbp cases --config ${config} --out faulty`)).error.code).to.equal("bad-option");
    await door.close();
    expect((await failing(`kgcbp cases --config ${config}`)).error).to.include({ code: "not-running", retry: true });
  });
});
