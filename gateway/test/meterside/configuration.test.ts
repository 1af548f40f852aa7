import { expect } from "chai";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isVeilgridError } from "@veilgrid/protocol";
import { fleetShape, meterShape } from "../../src/meterside/configuration.js";
import { openDriver } from "../../src/meterside/driver.js";
import { readFleet } from "../../src/meterside/fleet-file.js";
import { readConfiguration, type ConfigurationShape } from "../../src/process/configuration.js";
import { paramsOf } from "../support/committee.js";

const GUIDE = readFileSync(fileURLToPath(new URL("../../../../docs/meters.md", import.meta.url)), "utf8");

/** A file that the guide shows. */
function shown(name: string): string {
  return new RegExp(`^\`\`\`yaml \\(file: ${name}\\)\\n([^]*?)^\`\`\``, "m").exec(GUIDE)?.[1] ?? "";
}

async function problemOf(task: Promise<unknown>): Promise<string> {
  return task.then(
    () => "none",
    (error: unknown) => (isVeilgridError(error) ? `${error.code}: ${error.message}` : String(error)),
  );
}

describe("the configuration of meters", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "veilgrid-configuration-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function read<T>(text: string, shape: ConfigurationShape<T>, environment = {}): Promise<T> {
    const path = join(folder, "file.yaml");
    writeFileSync(path, text);
    return readConfiguration(path, shape, environment);
  }

  it("that docs/meters.md shows is good, with paths from the file's folder", async () => {
    const meter = await read(shown("meter.yaml"), meterShape, { VEILGRID_LOG_LEVEL: "debug" });
    expect(meter.driver).to.deep.equal({ kind: "p1-serial", path: "/dev/ttyUSB0", baud: 115_200 });
    expect(meter.installed).to.deep.equal({ region: 1, month: 12 * 2026 + 2, keyFile: join(folder, "month.key") });
    expect([meter.log.level, meter.das.length]).to.deep.equal(["debug", 4]);
    const fleet = await read(shown("fleet.yaml"), fleetShape);
    expect(fleet).to.deep.include({ meters: join(folder, "meters.json"), connections: 4, inFlight: 256 });
  });

  it("names what is unknown and what is bad, all of it at once", async () => {
    const text = shown("meter.yaml")
      .replace("month: 2026-03", "month: 2026-13")
      .replace("baud", "")
      .replace("role: meter", "role: meter\nnmae: x")
      .replace("path: /dev/ttyUSB0", "path: /dev/ttyUSB0, baud: 12");
    const problem = await problemOf(read(text, meterShape));
    expect(problem).to.match(/^bad-configuration: /);
    for (const part of ["nmae is unknown", "installed.month", "driver.baud: 300 or more"]) {
      expect(problem).to.include(part);
    }
  });

  it("of a fleet's meters is a private file that never shows a key", async () => {
    const path = join(folder, "meters.json");
    const key = "ab".repeat(32);
    const meter = { name: "P1", region: 1, month: "2026-03", key };
    const write = (value: unknown): Promise<string> => {
      writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
      chmodSync(path, 0o600);
      return problemOf(readFleet(path));
    };
    expect(await write([meter, { ...meter, name: "P2", household: 7 }])).to.equal("none");
    expect((await readFleet(path)).map(({ household }) => household)).to.deep.equal([0, 7]);
    expect(await readFleet(path, 1)).to.have.length(1);
    const refused = [
      await write([meter, meter]),
      await write([]),
      await write("[{"),
      await write([{ ...meter, key: `${key}0` }]),
      await write([{ ...meter, month: "March" }]),
    ];
    for (const problem of refused) {
      expect(problem).to.match(/^bad-fleet-file: /);
      expect(problem).to.not.include(key);
    }
    await write([meter]);
    chmodSync(path, 0o644);
    expect(await problemOf(readFleet(path))).to.match(/^bad-secret-file: /);
  });

  it("names a household that the file does not have, and periods of another length", async () => {
    const file = join(folder, "readings.csv");
    writeFileSync(file, "reading_datetime,H1\n2026-03-02 00:00,0.5\n2026-03-02 00:30,0.25\n");
    const csv = { kind: "csv", file, household: "H2" } as const;
    const params = paramsOf();
    expect(await problemOf(openDriver(csv, params))).to.match(/^unknown-household: /);
    expect(await problemOf(openDriver({ ...csv, household: "H1" }, params))).to.equal("none");
    expect(await problemOf(openDriver({ ...csv, household: "H1", begins: "soon" }, params))).to.match(/^bad-time: /);
  });
});
