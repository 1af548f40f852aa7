import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isVeilgridError } from "@veilgrid/protocol";
import { expect } from "chai";
import { keepProfile, profileFor, requirePlace } from "../../src/world/connection.js";
import { DataFolder } from "../../src/world/folder.js";
import { argumentsSchema, type LedgerKind, type RunRecord } from "../../src/world/plan.js";

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

const ASKED = {
  regions: 1,
  das: 4,
  price: "flat:1",
  completeness: "set",
  release: "after-commit",
  faults: [],
  maxWhPerPeriod: 1000,
  minReleaseMeters: 5,
  timezone: "UTC",
  seed: null,
  tariff: null,
};

function record(ledger: LedgerKind): RunRecord {
  const input = {
    sha256: "",
    format: "wide",
    households: ["H1"],
    first: { month: 24159, k: 0 },
    periods: 1,
    periodSeconds: 1800,
    prices: null,
  } as const;
  return {
    version: 1,
    arguments: argumentsSchema.parse({ ...ASKED, ledger }),
    input: { ...input, households: [...input.households] },
  };
}

describe("where a run's ledger is", () => {
  let path: string;
  let folder: DataFolder;

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "veilgrid-place-"));
    folder = new DataFolder(path);
  });

  afterEach(() => {
    rmSync(path, { recursive: true, force: true });
  });

  it("is its own folder in a record from before there was a choice", () => {
    expect(argumentsSchema.parse(ASKED).ledger).to.equal("embedded");
    expect(argumentsSchema.safeParse({ ...ASKED, ledger: "paper" }).success).to.equal(false);
  });

  it("cannot be another than recorded, and a profile goes with Fabric only", async () => {
    const [embedded, fabric] = [record("embedded"), record("fabric")];
    expect(
      await codeOf(() => {
        requirePlace(folder, embedded, {});
      }),
    ).to.equal("none");
    expect(
      await codeOf(() => {
        requirePlace(folder, embedded, { ledger: "embedded" });
      }),
    ).to.equal("none");
    expect(
      await codeOf(() => {
        requirePlace(folder, embedded, { ledger: "fabric" });
      }),
    ).to.equal("other-arguments");
    expect(
      await codeOf(() => {
        requirePlace(folder, embedded, { profile: "p" });
      }),
    ).to.equal("bad-option");
    expect(
      await codeOf(() => {
        requirePlace(folder, fabric, { profile: "p" });
      }),
    ).to.equal("none");
    expect(
      await codeOf(() => {
        requirePlace(folder, fabric, { ledger: "embedded" });
      }),
    ).to.equal("other-arguments");
  });

  it("is asked for once: the folder keeps the last profile that led there", async () => {
    expect(await codeOf(() => profileFor(folder, undefined))).to.equal("no-profile");
    await keepProfile(folder, "/one/profile.json");
    expect(await profileFor(folder, undefined)).to.equal("/one/profile.json");
    expect(await profileFor(folder, "/two/profile.json")).to.equal("/two/profile.json");
    expect(JSON.parse(readFileSync(folder.connection, "utf8"))).to.deep.equal({ profile: "/one/profile.json" });
    await keepProfile(folder, "/two/profile.json");
    expect(await profileFor(folder, undefined)).to.equal("/two/profile.json");
  });

  it("is not guessed from a damaged file", async () => {
    writeFileSync(folder.connection, JSON.stringify({ profile: 1 }));
    expect(await codeOf(() => profileFor(folder, undefined))).to.equal("damaged-folder");
    expect(await profileFor(folder, "/one/profile.json")).to.equal("/one/profile.json");
  });
});
