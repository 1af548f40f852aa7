import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../src/world/scratch.js";
import { veilgrid, type Ended } from "../src/world/demo-process.js";
import { MeterCsv, SGSC } from "../src/world/meter-csv.js";
import { Demo, TERMS } from "./demo.js";
import { count, type Report } from "./report.js";

/** What a day of fifty homes in two regions is asked for. */
export const DAY = ["--readings", SGSC, "--days", "1", "--regions", "2", "--seed", "a day"];

/** The homes and periods of that day. */
export const DAY_READINGS = (): MeterCsv => MeterCsv.sgsc(50, 48);

let made: Promise<{ demo: Demo; ended: Ended }> | undefined;

/** The day in which nothing goes wrong; made once, whoever compares with it. */
export function honestDay(report: Report): Promise<{ demo: Demo; ended: Ended }> {
  made ??= (async () => {
    const demo = new Demo(report, "day", DAY);
    return { demo, ended: await demo.finish() };
  })();
  return made;
}

/** Bytes of all files in a folder. */
function folderBytes(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((all, entry) => all + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Exports a run's ledger; its size is what the ledger costs. */
export async function exported(report: Report, demo: Demo): Promise<string> {
  const file = join(scratchFolder("export"), "ledger.vgl");
  const { code, stderr } = await veilgrid(["ledger", "export", file, "--out", demo.out]);
  report.check(
    "the ledger goes into one file",
    code === 0,
    code === 0 ? `${count(statSync(file).size)} bytes` : stderr,
  );
  report.note("its database on disk", `${count(folderBytes(join(demo.out, "ledger")))} bytes`);
  return file;
}

/** Audits an exported ledger. */
export async function checkAudit(report: Report, file: string): Promise<void> {
  const { code, stdout, stderr } = await veilgrid(["audit", file, "--json"]);
  const { blocks, transactions, readings, findings } = JSON.parse(stdout) as Record<string, unknown>;
  const figure = `${String(blocks)} blocks, ${String(transactions)} transactions, ${String(readings)} readings`;
  const isClean = code === 0 && Array.isArray(findings) && findings.length === 0;
  report.check("an audit of that file finds nothing", isClean, isClean ? figure : stdout + stderr);
}

/** A day of real homes, and what others can check of it. */
export async function day(report: Report): Promise<void> {
  const { demo } = await honestDay(report);
  demo.checkAgainst(DAY_READINGS(), { ...TERMS, regions: 2 });
  await checkAudit(report, await exported(report, demo));
  const all = await veilgrid(["bill", "verify", "--all", "--out", demo.out, "--json"]);
  report.check("`bill verify --all` verifies every bill", all.code === 0, `exit code ${all.code}`);
  const again = await demo.run();
  report.check(
    "the same command again prints the result",
    again.code === 0 && again.seconds < 10,
    `${again.seconds.toFixed(1)} s`,
  );
}

/** The same day with every signature verified each time, and under each engine. */
export async function memory(report: Report): Promise<void> {
  const { demo: usual } = await honestDay(report);
  const forgetful = new Demo(report, "no-memory", [...DAY, "--no-memory"]);
  await forgetful.finish();
  report.check("the same ledger bytes without memory", forgetful.tip === usual.tip, forgetful.tip);
  const short = [...DAY, "--periods", "4"];
  const reference = new Demo(report, "engine", short);
  await reference.run();
  for (const engine of ["wasm", "noble"]) {
    const demo = new Demo(report, engine, short);
    await demo.run({ env: { VEILGRID_ENGINE: engine } });
    report.check(`the same ledger bytes under ${engine}`, demo.tip === reference.tip && demo.tip !== "none", demo.tip);
  }
}
