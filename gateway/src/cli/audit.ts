import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Audit, type AuditReport } from "../audit/audit.js";
import type { LedgerBlock } from "../ports/ledger.js";
import type { Store } from "../ports/store.js";
import { LevelStore, openDatabase } from "../store/level.js";
import { line, printTable, type Progress } from "./output.js";

/** Anything with blocks: a ledger, or a file of one. */
export interface Blocks {
  blocks(from: bigint): AsyncIterable<LedgerBlock>;
}

/** Lends a scratch store on disk, so that the memory needed does not grow with the ledger. */
export async function withScratch<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "veilgrid-"));
  try {
    const database = await openDatabase(folder);
    try {
      return await use(new LevelStore(database, "state", { sync: false }));
    } finally {
      await database.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Re-verifies a whole ledger. */
export async function auditReport(ledger: Blocks, progress: Progress, height?: bigint): Promise<AuditReport> {
  return withScratch(async (scratch) => {
    const audit = new Audit(scratch);
    let done = 0;
    for await (const block of ledger.blocks(0n)) {
      await audit.add(block);
      done += 1;
      if (height !== undefined) progress.show("ledger blocks re-verified", done, Number(height));
    }
    return audit.report;
  });
}

/** Re-verifies a ledger and prints what was found; true if nothing was. */
export async function auditLedger(
  ledger: Blocks & { height(): Promise<bigint> },
  progress: Progress,
): Promise<boolean> {
  const report = await auditReport(ledger, progress, await ledger.height());
  progress.say(summaryOf(report));
  for (const { block, code, message } of report.findings) progress.say(`  block ${block}: ${code}: ${message}`);
  return report.findings.length === 0;
}

function summaryOf({ blocks, transactions, readings, findings }: AuditReport): string {
  const found = findings.length === 0 ? "nothing is wrong" : `${findings.length} findings`;
  return `audit: ${blocks} ledger blocks, ${transactions} transactions and ${readings} readings re-verified: ${found}`;
}

/** Prints an audit's report for a person. */
export function printReport(report: AuditReport): void {
  line(summaryOf(report));
  const kinds = Object.entries(report.kinds).map(([kind, count]) => [kind, String(count)]);
  printTable(["kind", "blocks"], [...kinds, ["leaders elected", String(report.elections)]], [1]);
  if (report.findings.length === 0) return;
  printTable(
    ["block", "transaction", "code", "what"],
    report.findings.map(({ block, txId, code, message }) => [block.toString(), txId.slice(0, 12), code, message]),
    [0],
  );
}
