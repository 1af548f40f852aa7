import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KIND, monthEnd, toHex, type Header } from "@veilgrid/protocol";
import { exportLedger, type AuditReport } from "@veilgrid/gateway";
import { expect } from "chai";
import { brokenReceipts, honestReceipts, type KeptReceipt } from "../src/months/receipts.js";
import { veilgrid } from "../src/world/demo-process.js";
import { beginRun, auditOf, concluded, type Finished } from "../src/world/small-run.js";
import { SMALL } from "../src/world/honest.js";

const APRIL = 12 * 2013 + 3;

interface Verified {
  readonly verified: boolean;
  readonly bills: readonly {
    readonly meter: string;
    readonly verified: boolean;
    readonly total: { readonly minor: string };
  }[];
}

async function json(args: readonly string[]): Promise<{ code: number | null; said: unknown }> {
  const { code, stdout, stderr } = await veilgrid([...args, "--json"]);
  return { code, said: stdout === "" ? stderr : JSON.parse(stdout) };
}

function verdictsOf(said: unknown): string[] {
  const { receipts } = said as { receipts: { verdict: string; names: string[] }[] };
  return receipts.map(({ verdict, names }) => [verdict, ...names].join(" "));
}

describe("a month of a run, closed and erased", function () {
  this.timeout(300_000);
  let finished: Finished;
  let late: { headers: Header[]; audit: AuditReport };
  let folder: string;
  let checked: { said: unknown };
  let receipts: KeptReceipt[];

  before(async () => {
    const run = await beginRun(SMALL);
    folder = run.folder.path;
    const world = await run.world();
    try {
      await world.advance(() => world.billed(APRIL));
      finished = await concluded(run, world);
      const place = { home: 0, region: 1, period: run.record.input.first };
      receipts = [...(await honestReceipts(run, world, place)), ...(await brokenReceipts(run, world, place))];
      // Three months later: nothing is left to be done but to close and to erase.
      await world.advance(async () => (await world.view.monthDeleted(1, APRIL)) && world.view.monthDeleted(2, APRIL));
      expect(world.clock.now()).to.be.within(monthEnd(APRIL + 2), monthEnd(APRIL + 2) + 600_000);
      expect(await world.kgcbp.retention.erase(APRIL, { early: true })).to.deep.equal([APRIL]);
      late = await auditOf(world);
      await exportLedger(world.ledger, join(folder, "..", "closed.vgl"));
    } finally {
      await world.close();
    }
    checked = await json(["bill", "verify", "--all", "--out", folder]);
  });

  it("is closed once in each region, and the ledger still audits", () => {
    expect(finished.audit.findings).to.deep.equal([]);
    expect(late.audit.findings).to.deep.equal([]);
    expect(late.headers.filter(({ kind }) => kind === KIND.close).reduce((all, { count }) => all + count, 0)).to.equal(
      2,
    );
  });

  it("has every bill verified from the folder and from an exported file, as before", async () => {
    const { bills } = checked.said as Verified;
    expect(bills.map(({ verified }) => verified)).to.deep.equal(bills.map(() => true));
    expect(bills.map(({ total }) => total)).to.deep.equal(finished.bills.map(({ total_minor }) => total_minor));
    const { homes } = finished.run.keys;
    const meter = finished.run.record.input.households[0] as string;
    const offline = [
      ...["--ledger", join(folder, "..", "closed.vgl"), "--bid", toHex(homes[0]?.bid ?? new Uint8Array())],
      ...["--month", "2013-04", "--identity", finished.run.folder.identity(meter), "--ipfs", finished.run.folder.ipfs],
    ];
    const { code } = await json(["bill", "verify", ...offline]);
    expect(code).to.equal(0);
  });

  it("has receipts acquit and convict as before, from the folder and from an exported file", async () => {
    const [half, other, broken] = receipts as [KeptReceipt, KeptReceipt, KeptReceipt];
    const [good, bad] = [
      [half, other],
      [half, broken],
    ].map((some, i) => {
      const file = join(folder, "..", `receipts-${i}.json`);
      const own = some.map(({ receipted: { reading, receipt } }) => ({
        reading: toHex(reading),
        receipt: toHex(receipt),
      }));
      writeFileSync(file, JSON.stringify({ format: "veilgrid/receipts", version: 1, receipts: own }));
      return file;
    }) as [string, string];
    for (const ledger of [
      ["--out", folder],
      ["--ledger", join(folder, "..", "closed.vgl")],
    ]) {
      // prettier-ignore
      const [acquitted, convicted] = [
        await json(["receipt", "check", good, ...ledger]),
        await json(["receipt", "check", bad, ...ledger]),
      ];
      expect([acquitted.code, verdictsOf(acquitted.said)]).to.deep.equal([0, ["acquitted", "acquitted"]]);
      expect([convicted.code, verdictsOf(convicted.said)]).to.deep.equal([1, ["acquitted", broken.comes]]);
    }
    expect(broken.comes).to.match(/^convicted( DA\dMSP){2,3}$/);
  });

  it("has no case of it any more, and says why", async () => {
    const { stderr, code } = await veilgrid(["kgcbp", "case", "1", "2013-04-08T00:00Z", "--out", folder]);
    expect([code, stderr]).to.satisfy(([, said]: [number, string]) =>
      said.startsWith("error month-erased: 2013-04 is"),
    );
    expect(code).to.equal(2);
  });

  it("shows a block without its leaves", async () => {
    const { code, stdout } = await veilgrid(["block", "show", "1", "2", "--out", folder]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/deleted with their closed month/);
  });

  it("leaves nothing in backup and stores that opens it, and the run goes on without", async () => {
    const vault = readdirSync(join(folder, "vault"));
    expect(vault).to.include("erased");
    expect(vault.filter((name) => name.endsWith(".key")).every((name) => Number(name.slice(0, 6)) > APRIL)).to.equal(
      true,
    );
    const run = await beginRun(SMALL, {}, join(folder, ".."));
    const world = await run.world();
    try {
      const failed = await world.kgcbp.outcomes(1, run.record.input.first).then(
        () => "opened",
        (error: unknown) => (error as { code: string }).code,
      );
      expect(failed).to.equal("not-on-ledger");
    } finally {
      await world.close();
    }
    const text = readFileSync(join(folder, "bills.csv"), "utf8");
    expect(text).to.equal(finished.billsText);
  });

  it("is listed, copied and restored by the operator's commands, and stays erased", async () => {
    const listed = await json(["kgcbp", "retention", "--out", folder]);
    const april = { month: "2013-04", billed: true, closedRegions: 2, regions: 2, erased: true };
    const [first] = (listed.said as { months: unknown[] }).months;
    expect(first).to.deep.include(april);
    const again = await json(["kgcbp", "erase", "2013-04", "--early", "--out", folder]);
    expect(again).to.deep.equal({ code: 0, said: { months: [], dryRun: false } });
    expect((await json(["kgcbp", "erase", "2013-05", "--out", folder])).code).to.not.equal(0);
    const copied = await json(["kgcbp", "backup", "--out", folder]);
    const { entries } = copied.said as { entries: number };
    const dry = await json(["kgcbp", "restore", "--dry-run", "--out", folder]);
    expect(dry.said).to.deep.include({ entries, dryRun: true });
    expect((await json(["kgcbp", "restore", "--out", folder])).code).to.not.equal(0);
    const restored = await json(["kgcbp", "restore", "--replace", "--out", folder]);
    expect(restored).to.deep.include({ code: 0 });
    expect(await json(["kgcbp", "retention", "--out", folder])).to.deep.equal(listed);
  });

  after(() => {
    rmSync(join(folder, "..", "closed.vgl"), { force: true });
  });
});
