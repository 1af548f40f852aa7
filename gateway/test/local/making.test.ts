import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { paramsCodec, schnorr, fromHex, toHex } from "@veilgrid/protocol";
import { parse } from "yaml";
import { makeConsortium } from "../../src/local/making.js";
import { readOverview } from "../../src/local/overview.js";
import { lastPeriodsOf, TIME_LAPSE, type ConsortiumShape } from "../../src/local/shape.js";
import { readConfiguration } from "../../src/process/configuration.js";
import { fleetShape } from "../../src/meterside/configuration.js";
import { ccShape, daShape, kgcbpShape } from "../../src/service/configuration.js";
import { ledgerServiceShape } from "../../src/remote/configuration.js";
import { failure } from "../ledger/conformance.js";

const SHAPE: ConsortiumShape = {
  das: 4,
  regions: 2,
  meters: 12,
  periodSeconds: 1800,
  first: lastPeriodsOf("2026-03", 4, 1800),
  periods: 4,
  price: "flat:250000",
  timezone: "UTC",
  params: { ...TIME_LAPSE, minReleaseMeters: 5 },
  ledger: { kind: "embedded" },
  host: "127.0.0.1",
  basePort: 0,
};

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("a consortium made on one machine", () => {
  const root = mkdtempSync(join(tmpdir(), "veilgrid-local-"));
  const out = join(root, "town");

  before(() => makeConsortium(SHAPE, out));

  after(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it("has a folder for each party, which its owner alone may open", () => {
    const folders = ["cc", "customers", "da0", "da1", "da2", "da3", "kgcbp", "ledger", "meters"];
    expect(readdirSync(out).sort()).to.deep.equal([...folders, "consortium.json", "params.bin"].sort());
    for (const folder of folders) expect(statSync(join(out, folder)).mode & 0o777, folder).to.equal(0o700);
  });

  it("keeps every secret from everybody else: no private file's text is in another party's folder", () => {
    const files = filesIn(out);
    const secrets = files.filter((file) => /\.key$|\/secret$|identity|customers\//.test(file));
    expect(secrets).to.have.length(4 + 2 + 2 * 7 + 12);
    for (const secret of secrets) {
      expect(statSync(secret).mode & 0o777, secret).to.equal(0o600);
      const text = readFileSync(secret, "utf8")
        .trim()
        .split("\n")
        .at(secret.endsWith(".key") ? 1 : -1) as string;
      expect(text.length).to.be.greaterThan(40);
      const holders = files.filter((file) => readFileSync(file, "utf8").includes(text));
      expect(holders, secret).to.deep.equal([secret]);
    }
  });

  it("gives a meter's month key to the meter and to KGCBP, and to nobody else", () => {
    const meters = JSON.parse(readFileSync(join(out, "meters", "meters.json"), "utf8")) as { key: string }[];
    expect(meters).to.have.length(12);
    for (const { key } of meters) {
      const holders = filesIn(out).filter((file) => readFileSync(file, "utf8").includes(key));
      expect(holders.sort()).to.deep.equal([join(out, "kgcbp/enrolments.json"), join(out, "meters/meters.json")]);
    }
    for (const file of ["kgcbp/enrolments.json", "meters/meters.json"]) {
      expect(statSync(join(out, file)).mode & 0o777).to.equal(0o600);
    }
  });

  it("has the same parameter set everywhere, whose keys are those of the secrets", () => {
    const params = readFileSync(join(out, "params.bin"));
    const { da, cc, kgcbp } = paramsCodec.decode(new Uint8Array(params));
    for (const [folder, key] of [
      ...da.map((member, i) => [`da${i}`, member.key] as const),
      ["cc", cc.key] as const,
      ["kgcbp", kgcbp.key] as const,
    ]) {
      const secret = fromHex(readFileSync(join(out, folder, "secret"), "utf8").trim());
      expect(toHex(schnorr.publicKey(secret)), folder).to.equal(toHex(key));
      expect(readFileSync(join(out, folder, "params.bin"))).to.deep.equal(params);
    }
  });

  it("names files that are there, in configurations that can be read", async () => {
    for (const [folder, file] of [
      ["da2", "da.yaml"],
      ["cc", "cc.yaml"],
      ["kgcbp", "kgcbp.yaml"],
      ["ledger", "ledger.yaml"],
      ["meters", "fleet.yaml"],
    ] as const) {
      const text = readFileSync(join(out, folder, file), "utf8");
      const named = [
        ...text.matchAll(/(?:authority|certificate|key|secretFile|params|meters|enrolments): (\S+\.\S+|secret)$/gm),
      ];
      expect(named.length, file).to.be.greaterThan(3);
      for (const [, path] of named) expect(statSync(join(out, folder, path as string)).isFile(), path).to.equal(true);
    }
    await readConfiguration(join(out, "da2", "da.yaml"), daShape, {});
    await readConfiguration(join(out, "cc", "cc.yaml"), ccShape, {});
    await readConfiguration(join(out, "kgcbp", "kgcbp.yaml"), kgcbpShape, {});
    await readConfiguration(join(out, "meters", "fleet.yaml"), fleetShape, {});
    const configuration = await readConfiguration(join(out, "ledger", "ledger.yaml"), ledgerServiceShape, {});
    expect(configuration.callers.map(({ msp }) => msp)).to.deep.equal([
      "DA0MSP",
      "DA1MSP",
      "DA2MSP",
      "DA3MSP",
      "CCMSP",
      "KGCBPMSP",
    ]);
  });

  it("has everybody listen somewhere else", async () => {
    const { places } = await readOverview(out);
    const { host, ...all } = places;
    expect(host).to.equal("127.0.0.1");
    const ports = JSON.stringify(all).match(/\d+/g)?.map(Number) as number[];
    expect(ports).to.have.length(21);
    expect(new Set(ports).size).to.equal(21);
    const { das } = places;
    const own = parse(readFileSync(join(out, "da1", "da.yaml"), "utf8")) as {
      peers: { address: string; target: string }[];
    };
    expect(own.peers.find(({ address }) => address === "da/DA3MSP")?.target).to.equal(
      `127.0.0.1:${String(das[3]?.organisations)}`,
    );
  });

  it("is made once, and leaves nothing where it cannot be", async () => {
    expect((await failure(makeConsortium(SHAPE, out))).code).to.equal("folder-exists");
    const few = { ...SHAPE, meters: 8 };
    expect((await failure(makeConsortium(few, join(root, "few")))).facts).to.deep.equal({ what: "meters", value: 8 });
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const error = await failure(makeConsortium({ ...SHAPE, basePort: port - 3 }, join(root, "taken")));
    taken.close();
    expect(error.code).to.equal("port-taken");
    expect(readdirSync(root)).to.deep.equal(["town"]);
  });
});
