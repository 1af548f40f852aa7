import { cpus, tmpdir, totalmem } from "node:os";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { availableEngines } from "@veilgrid/protocol";
import { openChannel } from "./channel.js";
import { quantile } from "./quantile.js";
import { hasReadings, recordingOf, sizeOf, type Recording } from "./recorded.js";
import { replay } from "./replay.js";
import { recordedLedger } from "./town.js";

// What a channel of four data aggregators takes: `npm run bench:fabric`. Meters, aggregators, orderers and peers share
// this machine, so a real consortium has more of everything.

const METERS = [50, 200, 1000];
const REGIONS = 4;
const PERIODS = 12;
/** Half-hours of a month of 30 days. */
const MONTH = 1440;
const BASE_PORT = 19_050;

/** A row of the table. */
async function measured(folder: string, meters: number, engine: string, recording: Recording): Promise<string> {
  const channel = await openChannel(join(folder, engine), recording.params, BASE_PORT);
  try {
    const { latencies, throughput, bytes } = await replay(channel, recording.transactions);
    const perMeterMonth = (bytes * MONTH) / (meters * REGIONS * PERIODS);
    const block = Math.max(...recording.transactions.filter(hasReadings).map(sizeOf));
    const cells = [
      meters,
      engine,
      `${(block / 1000).toFixed(0)} KB`,
      `${quantile(latencies, 0.5).toFixed(0)} ms`,
      `${quantile(latencies, 0.95).toFixed(0)} ms`,
      latencies.length,
      throughput.toFixed(2),
      (throughput * meters).toFixed(0),
      Math.round(perMeterMonth),
      `${channel.upSeconds.toFixed(1)} + ${channel.deploySeconds.toFixed(1)} s`,
    ];
    return `| ${cells.join(" | ")} |`;
  } finally {
    await channel.close();
  }
}

async function main(): Promise<void> {
  const sizes = process.argv[2]?.split(",").map(Number) ?? METERS;
  const engines = availableEngines().map(({ name }) => name);
  console.log(
    `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
      `Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
  );
  console.log(
    "\n| meters a region | engine | block | median | p95 | n | blocks/s, 4 regions at once | meters/s | bytes a meter-month | up + deploy |",
  );
  console.log("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const meters of sizes) {
    const folder = await mkdtemp(join(tmpdir(), "veilgrid-bench-"));
    try {
      const town = { metersPerRegion: meters, regions: REGIONS, periods: PERIODS };
      const recording = await recordingOf(await recordedLedger(folder, town));
      for (const engine of engines.filter((name) => name !== "noble")) {
        // The services are started by this process and choose their engine by its environment.
        process.env.VEILGRID_ENGINE = engine;
        console.log(await measured(folder, meters, engine, recording));
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

await main();
