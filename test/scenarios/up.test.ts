import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { lastPeriodsOf, makeConsortium, Running, TIME_LAPSE } from "@veilgrid/gateway";
import { REPOSITORY } from "../src/documents/repository.js";
import { Chaos } from "../src/up/chaos.js";
import { scratchFolder } from "../src/world/scratch.js";

const PROGRAM = join(REPOSITORY, "gateway", "bin", "veilgrid.js");

/** Numbers of the machine's processes that have a folder in their arguments. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });
}

describe("a consortium of processes", function () {
  this.timeout(180_000);

  it("loses no reading and no Wh when an aggregator and the leader are killed", async () => {
    const folder = join(scratchFolder("up"), "town");
    await makeConsortium(
      {
        ...{ das: 4, regions: 1, meters: 12, periodSeconds: 1800, periods: 3, price: "flat:250000", timezone: "UTC" },
        first: lastPeriodsOf("2026-03", 3, 1800),
        // As much time as a busy machine needs: 3 s of it for the window, 2.1 s for forwarding, 1.5 s for a round.
        params: { ...TIME_LAPSE, submissionWindow: 600, forwardSeconds: 420, roundSeconds: 300 },
        ledger: { kind: "embedded" },
        host: "127.0.0.1",
        basePort: 0,
      },
      folder,
    );
    const chaos = new Chaos({ kills: new Map([[0, [0]]]), leaderKills: [1] });
    const running = new Running(
      { folder, program: PROGRAM, factor: 200 },
      {
        onLook: (standing, consortium) => {
          chaos.look(standing, consortium);
        },
      },
    );
    const { readings, sums, bills, audit, restarts } = await running.run();
    expect(chaos.told).to.deep.equal(["da0 killed in period 0", "leader killed in period 1"]);
    expect(Object.values(restarts).reduce((sum, count) => sum + count, 0)).to.equal(2);
    // How many come in time is the machine's to say; what has a receipt is there, and what is there is exact.
    expect(readings.due).to.equal(72);
    expect(readings.receipted).to.be.greaterThan(0);
    expect(readings.once).to.equal(readings.receipted);
    expect(sums.exact).to.equal(sums.measured);
    expect(bills).to.deep.equal({ issued: 12, verified: 12, exact: 12 });
    expect(audit.findings).to.deep.equal([]);
    expect(processesOf(folder)).to.deep.equal([]);
  });
});
