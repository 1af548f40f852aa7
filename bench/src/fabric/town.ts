import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LedgerFile } from "@veilgrid/gateway";

const VEILGRID = fileURLToPath(new URL("../../../../gateway/bin/veilgrid.js", import.meta.url));
const run = promisify(execFile);

/** What is measured: regions of so many meters each, over so many periods. */
export interface Town {
  readonly metersPerRegion: number;
  readonly regions: number;
  readonly periods: number;
}

async function veilgrid(...args: readonly string[]): Promise<void> {
  await run(process.execPath, [VEILGRID, ...args], { maxBuffer: 64 * 1024 * 1024 });
}

/**
 * Has all roles of a town work on the embedded ledger until its readings are committed, and exports what they put there:
 * real signatures and votes, to be put on a channel again.
 */
export async function recordedLedger(folder: string, { metersPerRegion, regions, periods }: Town): Promise<LedgerFile> {
  const out = join(folder, "run");
  const file = join(folder, "ledger.vgl");
  const meters = String(metersPerRegion * regions);
  const plan = ["--meters", meters, "--regions", String(regions), "--periods", String(periods), "--seed", "bench"];
  await veilgrid("setup", ...plan, "--out", out);
  await veilgrid("periods", "run", "--out", out);
  await veilgrid("ledger", "export", file, "--out", out);
  return new LedgerFile(file);
}
