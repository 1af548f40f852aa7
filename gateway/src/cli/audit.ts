import { stat } from "node:fs/promises";
import type { Command } from "commander";
import { Audit, type AuditReport } from "../audit/audit.js";
import { LedgerFile } from "../ledger/ledgerfile.js";
import type { LedgerBlock } from "../ports/ledger.js";
import { withScratch } from "../store/scratch.js";
import { EXIT } from "./failure.js";
import { addLedgerOptions, sourceOf, unfit, type LedgerOptions, type LedgerSource } from "./ledger-options.js";
import { withSource } from "./ledger-source.js";
import { examples, jsonOption } from "./options.js";
import { counted, line, printJson, printTable, Progress } from "./output.js";

/** Anything with blocks: a ledger, or a file of one. */
export interface Blocks {
  blocks(from: bigint): AsyncIterable<LedgerBlock>;
}

const NOTES = `Everything is verified from the blocks' bytes: hashes, votes, elections, every reading's signature, completeness,
sums and prices. What peers said of them plays no part. Exit code 1: something was found.`;

interface AuditOptions extends LedgerOptions {
  readonly json?: boolean;
}

/** `veilgrid audit`: re-verifies a whole ledger. */
export function addAudit(parent: Command): void {
  addLedgerOptions(parent.command("audit"))
    .description("walk a whole ledger and re-verify everything on it")
    .argument("[path]", "an exported ledger file (.gz too) or a data folder (default: that of --out)")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid audit --out my-run",
          "veilgrid audit ledger.vgl.gz --json",
          "veilgrid audit --ledger fabric --profile .fabric/profile.json",
        ],
        NOTES,
      ),
    )
    .action((path: string | undefined, options: AuditOptions) => audit(path, options));
}

async function audit(path: string | undefined, options: AuditOptions): Promise<void> {
  const { json = false } = options;
  const progress = new Progress(json);
  const source = path === undefined ? sourceOf(options) : await sourceAt(path, options);
  // A file is walked as it is: nothing has to be replayed first.
  const report =
    source.kind === "file"
      ? await auditReport(new LedgerFile(source.path), progress)
      : await withSource(source, (ledger) => auditReport(ledger, progress, ledger.tip.height));
  if (json) printJson(report);
  else printReport(report);
  if (report.findings.length > 0) process.exitCode = EXIT.failed;
}

/** The ledger at a path: a file's, or that of a folder's run. */
async function sourceAt(path: string, options: AuditOptions): Promise<LedgerSource> {
  const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
  if (!isFile) return sourceOf({ ...options, out: path, isFolderNamed: true });
  if (options.ledger !== undefined || options.profile !== undefined)
    throw unfit("PATH is a file: it needs no --ledger");
  return { kind: "file", path };
}

/** Re-verifies a whole ledger. @param height the number of its blocks, where it is known. */
async function auditReport(ledger: Blocks, progress: Progress, height?: bigint): Promise<AuditReport> {
  return withScratch(async (scratch) => {
    const auditor = new Audit(scratch);
    let done = 0;
    for await (const block of ledger.blocks(0n)) {
      await auditor.add(block);
      done += 1;
      if (height !== undefined) progress.show("ledger blocks re-verified", done, Number(height));
    }
    return auditor.report;
  });
}

/** Re-verifies a ledger and says what was found; true if nothing was. */
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
  const found = findings.length === 0 ? "nothing is wrong" : counted(findings.length, "finding");
  const parts = [counted(blocks, "ledger block"), counted(transactions, "transaction")];
  return `audit: ${parts.join(", ")} and ${counted(readings, "reading")} re-verified: ${found}`;
}

function printReport(report: AuditReport): void {
  line(summaryOf(report));
  const kinds = Object.entries(report.kinds).map(([kind, count]) => [kind, String(count)]);
  printTable(["kind", "blocks"], [...kinds, ["leaders elected", String(report.elections)]], [1]);
  if (report.invalid > 0) line(`${counted(report.invalid, "transaction")} without effect, as the ledger says itself`);
  if (report.findings.length === 0) return;
  printTable(
    ["block", "transaction", "code", "what"],
    report.findings.map(({ block, txId, code, message }) => [block.toString(), txId.slice(0, 12), code, message]),
    [0],
  );
}
