import { VeilgridError } from "@veilgrid/protocol";
import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openLog, type LogOptions, type ProcessLog } from "../../src/process/log.js";
import { scratch } from "../support/scratch.js";

type Line = Readonly<Record<string, unknown>>;

describe("a process's log", () => {
  const folder = scratch();
  let files = 0;

  async function lines(say: (log: ProcessLog) => void, options: Partial<LogOptions> = {}): Promise<Line[]> {
    const destination = join(folder.path, `${(files += 1)}.log`);
    const log = openLog({ level: "info", base: { role: "da" }, destination, ...options });
    say(log);
    await log.close();
    const text = await readFile(destination, "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  }

  it("has a line of JSON for each event, with who, when and what", async () => {
    const [line] = await lines(({ log }) => {
      log("info", "block-submitted", { chain: 1, number: "7" });
    });
    expect(line).to.deep.include({ level: "info", event: "block-submitted", role: "da", chain: 1, number: "7" });
    expect(Date.parse(line?.time as string)).to.be.above(Date.parse("2026-01-01"));
  });

  it("leaves out what is below its level", async () => {
    const seen = await lines(
      ({ log }) => {
        for (const level of ["debug", "info", "warn", "error"] as const) log(level, level);
      },
      { level: "warn" },
    );
    expect(seen.map(({ event }) => event)).to.deep.equal(["warn", "error"]);
  });

  it("never has a secret, by its name or by its value", async () => {
    const secret = "00c0ffee".repeat(8);
    const [line] = await lines(
      ({ log }) => {
        log("info", "said", {
          secretKey: 1,
          monthKey: "x",
          seed: "y",
          key: secret.toUpperCase(),
          note: `in ${secret}`,
        });
      },
      { secrets: [secret] },
    );
    expect(line).to.deep.include({
      secretKey: "[redacted]",
      monthKey: "[redacted]",
      seed: "[redacted]",
      key: "[redacted]",
      note: "[redacted]",
    });
  });

  it("never has a PRID beside a BID", async () => {
    const seen = await lines(({ log }) => {
      log("warn", "both", { bid: "b", prid: "p", newPrid: "q" });
      log("warn", "one", { prid: "p" });
    });
    expect(seen[0]).to.deep.include({ bid: "b", prid: "[redacted]", newPrid: "[redacted]" });
    expect(seen[1]).to.deep.include({ prid: "p" });
  });

  it("tells a refusal by its code and a defect by its stack", async () => {
    const secret = "00c0ffee".repeat(8);
    const refusal = new VeilgridError("too-late", "it came too late", { facts: { by: 3 }, blame: "peer" });
    const seen = await lines(
      ({ failure }) => {
        failure("warn", "not-taken", refusal);
        failure("error", "broken", new Error(`at ${secret}`), { label: "timer" });
      },
      { secrets: [secret] },
    );
    expect(seen[0]).to.deep.include({ code: "too-late", by: 3, blame: "peer", why: "it came too late" });
    expect(seen[1]).to.deep.include({ code: "internal-error", label: "timer" });
    expect(seen[1]?.why).to.match(/^Error: at \[redacted\]\n +at /);
  });
});
