import { join } from "node:path";
import { expect } from "chai";
import { exportLedger, LedgerFile, type Level, type World } from "@veilgrid/gateway";
import { isVeilgridError, periodRange, utf8 } from "@veilgrid/protocol";
import { veilgrid } from "../src/world/demo-process.js";
import { filesUnder } from "../src/world/folder-files.js";
import { honestRun, SMALL } from "../src/world/honest.js";
import { MeterKeys } from "../src/world/meter-keys.js";
import { Needles } from "../src/world/needles.js";
import { scratchFolder } from "../src/world/scratch.js";
import { beginRun, finish, type Finished } from "../src/world/small-run.js";

/** Requests are lost or arrive with a bit turned, and a stranger asks nonsense: every role has something to say of it. */
function disturb({ network, clock }: World): void {
  let count = 0;
  // One meter hears nothing in the first window: its reading counts, and it says that it has no receipt.
  const deafUntil = clock.now() + 48_000_000;
  network.drop(({ from, to, method, bytes, direction }) => {
    if (direction === "response") return method === "reading" && to === "meter/00003" && clock.now() < deafUntil;
    count += 1;
    if (count % 29 === 0 && bytes.length > 0) {
      const turned = bytes.slice();
      turned[turned.length >> 1] = (turned[turned.length >> 1] as number) ^ 1;
      network.transport(from).request(to, method, turned);
    }
    return count % 29 === 0 || count % 31 === 0;
  });
  for (const method of [
    "reading",
    "forward",
    "propose",
    "bodies",
    "timeout",
    "elect",
    "transaction",
    "lists",
  ] as const) {
    clock.at(clock.now() + 46_000_000, "nonsense", () => {
      network.transport("stranger").request("da/DA1MSP", method, utf8("nonsense"));
    });
  }
}

describe("what a run writes and says", () => {
  const logged: { readonly level: Level; readonly text: string }[] = [];
  let run: Finished;
  let honest: Finished;
  let ledgerFile: string;
  let [bids, prids, secrets] = [new Needles([]), new Needles([]), new Needles([])];

  before(async () => {
    const begun = await beginRun(SMALL, { faults: ["down:2@3-4", "kill-leader@6", "omit:1"] });
    let keys: MeterKeys | undefined;
    ledgerFile = join(scratchFolder("export"), "ledger.bin");
    run = await finish(begun, {
      log: (level, event, facts) => logged.push({ level, text: `${event} ${JSON.stringify(facts ?? {})}` }),
      watch: async (world) => {
        keys = new MeterKeys(begun, await world.view.consortium());
        disturb(world);
      },
    });
    honest = await honestRun();
    const world = await begun.world();
    await exportLedger(world.ledger, ledgerFile);
    await world.close();

    const { homes, da, cc, kgcbp } = begun.keys;
    const { first, periods, periodSeconds } = begun.record.input;
    bids = new Needles(homes.map(({ bid }) => bid));
    const halves = [...periodRange(first, periods, periodSeconds)].flatMap((period) =>
      homes.flatMap((_, i) => (keys as MeterKeys).halves(i, period)),
    );
    prids = new Needles(halves.map(({ prid }) => prid));
    secrets = new Needles([
      ...[...da, cc, kgcbp].map(({ secret }) => secret),
      ...homes.map(({ monthKey }) => monthKey),
      ...homes.map(({ customer }) => utf8(customer.identity)),
      ...homes.flatMap((_, i) => Object.values((keys as MeterKeys).seeds(i, first.month)) as Uint8Array[]),
      ...halves.flatMap(({ secret, z }) => [secret, z]),
    ]);
  });

  it("is much, and of every level", () => {
    expect(run.billsText).to.equal(honest.billsText);
    expect(logged.length).to.be.above(100);
    expect(new Set(logged.map(({ level }) => level))).to.include.members(["debug", "info", "warn"]);
  });

  it("names no BID beside a PRID on any line of a log", () => {
    const both = logged.filter(({ text }) => bids.in(utf8(text)) > 0 && prids.in(utf8(text)) > 0);
    expect(both).to.deep.equal([]);
  });

  it("shows no secret in a log", () => {
    expect(logged.filter(({ text }) => secrets.in(utf8(text)) > 0)).to.deep.equal([]);
  });

  it("has no BID beside a PRID in any value or event of the ledger, and no secret anywhere on it", async () => {
    let [withBid, withPrid] = [0, 0];
    for await (const { transactions } of new LedgerFile(ledgerFile).blocks(0n)) {
      for (const { writes, event, call, txId } of transactions) {
        const values = writes.map(({ key, value }) => Buffer.concat([utf8(key), value ?? new Uint8Array()]));
        for (const bytes of [...values, event?.payload ?? new Uint8Array(), utf8(`${txId} ${call.args.join(" ")}`)]) {
          const [bid, prid] = [bids.in(bytes), prids.in(bytes)];
          expect(bid > 0 && prid > 0, "a BID beside a PRID").to.equal(false);
          expect(secrets.in(bytes)).to.equal(0);
          if (bid > 0) withBid += 1;
          if (prid > 0) withPrid += 1;
        }
      }
    }
    // The search finds what is there: bills by BID, and 24 blocks of readings.
    expect(withBid).to.be.at.least(12);
    expect(withPrid).to.be.at.least(24);
  });

  it("has no BID beside a PRID and no secret in any file, but for those that only their owner reads", () => {
    const own = /^(?:secrets\.json|roles\/|customers\/)/;
    const files = [...filesUnder(run.run.folder.path)].filter(([path]) => !own.test(path));
    for (const [path, bytes] of files) {
      expect(secrets.in(bytes), path).to.equal(0);
      if (path.endsWith(".csv") || path.endsWith(".json")) expect(prids.in(bytes), path).to.equal(0);
    }
    // The search finds them where they belong: each customer's identity is in a file of its own.
    const identities = [...filesUnder(run.run.folder.path)].filter(([path]) => path.startsWith("customers/"));
    expect(identities.map(([, bytes]) => secrets.in(bytes))).to.deep.equal(identities.map(() => 1));
    expect(identities).to.have.length(12);
    expect(files.map(([path]) => path)).to.include.members(["bills.csv", "periods.csv", "outcome.json", "run.json"]);
  });

  it("has no BID beside a PRID in the encrypted bills, which say nothing to others", () => {
    const bills = [...filesUnder(run.run.folder.ipfs)].map(([, bytes]) => bytes);
    expect(bills.map(({ length }) => length)).to.deep.equal(bills.map(() => 131_072));
    expect(bills.filter((bytes) => bids.in(bytes) + prids.in(bytes) > 0)).to.deep.equal([]);
  });

  it("says nothing of them in errors either", async () => {
    const world = await run.run.world();
    const { view, ledger } = world;
    const stranger = ledger.as({ msp: "StrangerMSP" });
    const failures: unknown[] = [];
    for (const { bid } of run.run.keys.homes) {
      const call = { name: "bill", args: [Buffer.from(bid).toString("hex"), "2013-04"] };
      await stranger.evaluate(call).catch((error: unknown) => failures.push(error));
      await ledger
        .as({ msp: "DA0MSP" })
        .submit({ name: "submitBlock", args: [call.args[0] as string] })
        .catch((error: unknown) => failures.push(error));
    }
    await view.head(1);
    await world.close();
    expect(failures).to.have.length(24);
    for (const error of failures) {
      if (!isVeilgridError(error)) throw error;
      const text = utf8(JSON.stringify([error.message, error.facts]));
      expect(prids.in(text) + secrets.in(text)).to.equal(0);
    }
  });

  it("says nothing of them on the command's outputs", async () => {
    const folder = scratchFolder("said");
    const input = SMALL.write(join(folder, "input.csv"));
    const asked = ["--readings", input, "--regions", "2", "--min-meters", "5", "--seed", "7"];
    const { code, stdout, stderr } = await veilgrid(["demo", ...asked, "--out", join(folder, "out"), "--json"]);
    expect(code).to.equal(0);
    expect(secrets.in(utf8(stdout + stderr)) + prids.in(utf8(stdout + stderr))).to.equal(0);
  });
});
