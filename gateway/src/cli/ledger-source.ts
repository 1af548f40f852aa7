import { Option, type Command } from "commander";
import { VeilgridError, isVeilgridError } from "@veilgrid/protocol";
import { openLedgerFile, openLedgerFolder, type StoredLedger } from "../ledger/stored.js";
import { claimed } from "../world/claim.js";
import { DataFolder } from "../world/folder.js";
import { requireRecord } from "../world/record.js";
import { outOption } from "./options.js";

/** Which ledger a command reads. */
export interface LedgerOptions {
  readonly out: string;
  /** An exported file, in place of a folder's. */
  readonly ledger?: string;
}

export function addLedgerOptions(command: Command): Command {
  return command
    .addOption(outOption())
    .addOption(new Option("--ledger <file>", "an exported ledger file in place of a folder").conflicts("out"));
}

/** Lends the ledger that the options name. @throws VeilgridError as withFolderLedger, and openLedgerFile. */
export async function withLedger<T>(
  { ledger, out }: LedgerOptions,
  use: (ledger: StoredLedger) => Promise<T>,
): Promise<T> {
  return ledger === undefined ? withFolderLedger(new DataFolder(out), use) : lend(openLedgerFile(ledger), use);
}

/**
 * Lends the ledger of a run's folder, which nobody else works on meanwhile.
 * @throws VeilgridError `no-run`, `folder-in-use`, `no-ledger`, `ledger-damaged`.
 */
export async function withFolderLedger<T>(folder: DataFolder, use: (ledger: StoredLedger) => Promise<T>): Promise<T> {
  await requireRecord(folder);
  return claimed(folder, () => lend(openLedgerFolder(folder.ledger).catch(explain(folder)), use));
}

async function lend<T>(opening: Promise<StoredLedger>, use: (ledger: StoredLedger) => Promise<T>): Promise<T> {
  const ledger = await opening;
  try {
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

/** A folder whose set-up was interrupted has a record and no ledger yet. */
function explain({ path }: DataFolder): (error: unknown) => never {
  return (error) => {
    if (!isVeilgridError(error, "no-ledger")) throw error;
    throw new VeilgridError("no-ledger", `the run in ${path} has no ledger yet; veilgrid setup or demo goes on`, {
      facts: { folder: path },
      blame: "caller",
      cause: error,
    });
  };
}
