import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readConfiguration } from "../../src/process/configuration.js";
import { clock, http, log, partyAddress, pathFrom, target } from "../../src/process/shapes.js";
import { problemIn, scratch } from "../support/scratch.js";

const shape = (folder: string): z.ZodType => {
  const file = pathFrom(folder);
  return z.strictObject({
    role: z.literal("test"),
    msp: z.string(),
    secretFile: file,
    ledger: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("embedded"), target }),
      z.strictObject({ kind: z.literal("fabric"), profile: file }),
    ]),
    peers: z.array(z.strictObject({ address: partyAddress, target })).default([]),
    http: http.optional(),
    clock: clock.optional(),
    log: log.prefault({}),
    limits: z.strictObject({ waiting: z.int().min(1).max(9) }).optional(),
  });
};

const GOOD = `
role: test
msp: DA0MSP
secretFile: keys/da0
ledger: { kind: embedded, target: "127.0.0.1:7000" }
`;

describe("a configuration file", () => {
  const folder = scratch();

  async function read(text: string, environment: Record<string, string> = {}): Promise<unknown> {
    const path = join(folder.path, "test.yaml");
    await writeFile(path, text);
    return readConfiguration(path, shape, environment);
  }

  async function refused(text: string, environment: Record<string, string> = {}): Promise<string> {
    const error = await problemIn(read(text, environment));
    expect(error.code).to.equal("bad-configuration");
    return error.message.slice(join(folder.path, "test.yaml: ").length);
  }

  it("gives its values, with paths relative to its folder", async () => {
    expect(await read(GOOD)).to.deep.equal({
      role: "test",
      msp: "DA0MSP",
      secretFile: join(folder.path, "keys/da0"),
      ledger: { kind: "embedded", target: "127.0.0.1:7000" },
      peers: [],
      log: { level: "info" },
    });
  });

  it("reads hosts, ports and times", async () => {
    const more = `
http: { listen: "[::1]:0" }
clock: { origin: 2026-11-23T07:00:00Z, start: 2013-04-01T00:00:00+01:00, factor: 60 }
`;
    expect(await read(GOOD + more)).to.deep.include({
      http: { listen: { host: "::1", port: 0 } },
      clock: { origin: 1795417200000, start: 1364770800000, factor: 60 },
    });
  });

  it("that is not there is named", async () => {
    const error = await problemIn(readConfiguration(join(folder.path, "none.yaml"), shape, {}));
    expect(error).to.include({ code: "no-configuration" });
  });

  const BAD: readonly (readonly [string, string, string])[] = [
    [
      "an unknown key",
      `${GOOD}secretfile: x`,
      "secretfile is unknown; known are: role, msp, secretFile, ledger, peers, http, clock, log, limits",
    ],
    ["an unknown key in a section", `${GOOD}log: { levl: info }`, "log.levl is unknown; known in log are: level"],
    [
      "an unknown key in one of two sections",
      GOOD.replace("target:", "profile: x, target:"),
      "ledger.profile is unknown; known in ledger are: kind, target",
    ],
    [
      "an unknown key in a list",
      `${GOOD}peers: [{ address: cc, target: "a:1", name: x }]`,
      "peers[0].name is unknown; known in peers[0] are: address, target",
    ],
    ["a missing key", GOOD.replace("msp: DA0MSP", ""), "msp is missing; a text is due"],
    ["a value of another type", GOOD.replace("DA0MSP", "[1]"), "msp: a text is due"],
    ["a value that is no choice", `${GOOD}log: { level: loud }`, "log.level: one of error, warn, info, debug is due"],
    ["a section that is none", `${GOOD}log: loud`, "log: a section with keys is due"],
    ["an unknown kind", GOOD.replace("embedded", "paper"), "ledger.kind: one of embedded, fabric is due"],
    ["another role", GOOD.replace("role: test", "role: da"), "role: one of test is due"],
    ["a number out of range", `${GOOD}limits: { waiting: 10 }`, "limits.waiting: 9 or less is due"],
    ["a fraction", `${GOOD}limits: { waiting: 1.5 }`, "limits.waiting: a whole number is due"],
    [
      "no host and port",
      `${GOOD}http: { listen: "7000" }`,
      'http.listen: "7000" is no host:port to listen on, such as 0.0.0.0:7051',
    ],
    [
      "a port that is none",
      GOOD.replace("7000", "70000"),
      'ledger.target: "127.0.0.1:70000" is no host:port to call, such as da0.example.org:7051',
    ],
    [
      "no party",
      `${GOOD}peers: [{ address: dso, target: "a:1" }]`,
      'peers[0].address: "dso" is no party: da/ and an MSP id, cc, or kgcbp',
    ],
    [
      "a day for a time",
      `${GOOD}clock: { origin: 2026-11-23, start: 2013-04-01T00:00Z, factor: 1 }`,
      'clock.origin: "2026-11-23" is no RFC 3339 time, such as 2013-04-01T00:00:00Z',
    ],
    ["a list for a file", "- role", "keys with values are due"],
    ["a key twice", `${GOOD}msp: DA1MSP`, "Map keys must be unique at line 6, column 1"],
    [
      "two at once",
      GOOD.replace("msp: DA0MSP", "mps: DA0MSP"),
      "msp is missing; a text is due; mps is unknown; known are: role, msp, secretFile, ledger, peers, http, clock, log, limits",
    ],
  ];
  for (const [what, text, message] of BAD) {
    it(`names ${what}`, async () => {
      expect(await refused(text)).to.equal(message);
    });
  }

  it("is overridden by the environment", async () => {
    const environment = {
      VEILGRID_MSP: "17",
      VEILGRID_SECRET_FILE: "/run/secret",
      VEILGRID_LEDGER_TARGET: "ledger:1",
      VEILGRID_LOG_LEVEL: "debug",
      VEILGRID_LIMITS_WAITING: "3",
      VEILGRID_ENGINE: "noble",
      HOME: "/",
    };
    expect(await read(GOOD, environment)).to.deep.equal({
      role: "test",
      msp: "17",
      secretFile: "/run/secret",
      ledger: { kind: "embedded", target: "ledger:1" },
      peers: [],
      log: { level: "debug" },
      limits: { waiting: 3 },
    });
  });

  it("names a variable that overrides nothing, and a bad value of one that does", async () => {
    expect(await refused(GOOD, { VEILGRID_LOGLEVEL: "debug" })).to.equal(
      "the environment's VEILGRID_LOGLEVEL overrides nothing that there is here",
    );
    expect(await refused(GOOD, { VEILGRID_LIMITS_WAITING: "many" })).to.equal("limits.waiting: a number is due");
  });
});
