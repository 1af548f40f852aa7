import { VeilgridError, consortiumId } from "@veilgrid/protocol";
import type { Command } from "commander";
import { readBackup, restore } from "../kgcbp/backup.js";
import { BACKED } from "../kgcbp/safe.js";
import type { Store } from "../ports/store.js";
import { runParamsBytes } from "../world/consortium.js";
import type { Run } from "../world/run.js";
import { addStageOptions, type StageOptions } from "./ledger-options.js";
import { examples } from "./options.js";
import { counted, line, printJson } from "./output.js";
import { withRun, withWorld } from "./stages.js";

interface RestoreOptions extends StageOptions {
  readonly replace?: boolean;
  readonly dryRun?: boolean;
}

const BACKUP_NOTES = `The backup is DIR/backup: a base copy of KGCBP's stores and a journal of every write since, which a run keeps by itself.
A new base copy makes the journal short again. Secrets are sealed in both: what opens them is DIR/vault, which is never
part of a backup and which an operator keeps elsewhere.`;

const RESTORE_NOTES = `Makes KGCBP's stores what they were at the last write of DIR/backup. Where DIR/vault is not the backup's own, or a month
was erased since, its secrets stay shut.`;

/** `veilgrid kgcbp backup` and `veilgrid kgcbp restore`. */
export function addKgcbpBackup(parent: Command): void {
  addStageOptions(parent.command("backup"))
    .description("take a new base copy of KGCBP's stores, and begin the journal anew")
    .addHelpText("after", examples(["veilgrid kgcbp backup --out my-run"], BACKUP_NOTES))
    .action((options: StageOptions) => backup(options));
  addStageOptions(parent.command("restore"))
    .description("make KGCBP's stores anew from its backup")
    .option("--replace", "delete what KGCBP's stores have now")
    .option("--dry-run", "check the backup, say what it has, and change nothing")
    .addHelpText(
      "after",
      examples(
        ["veilgrid kgcbp restore --dry-run --out my-run", "veilgrid kgcbp restore --replace --out my-run"],
        RESTORE_NOTES,
      ),
    )
    .action((options: RestoreOptions) => restoreRun(options));
}

async function backup(options: StageOptions): Promise<void> {
  await withRun(options, async (run) => {
    const { number, file, entries, bytes } = await withWorld(run, (world) => world.backup.copy());
    if (options.json === true) printJson({ file, entries, bytes, writes: number.toString() });
    else line(`${file}: ${counted(entries, "entry", "entries")}, ${counted(bytes, "byte")}`);
  });
}

async function restoreRun({ replace = false, dryRun = false, ...options }: RestoreOptions): Promise<void> {
  await withRun(options, async (run) => {
    const done = dryRun ? await content(run) : await restored(run, replace);
    if (options.json === true) printJson({ ...done, dryRun });
    else line(`${dryRun ? "nothing changed; the backup has" : "restored"} ${said(done)}`);
  });
}

function said({ entries, writes }: { readonly entries: number; readonly writes: number }): string {
  return `${counted(entries, "entry", "entries")} and ${counted(writes, "write")} since`;
}

function placeOf({ folder, record, keys }: Run): { readonly folder: string; readonly consortium: Uint8Array } {
  return { folder: folder.backup, consortium: consortiumId(runParamsBytes(record, keys)) };
}

async function content(run: Run): Promise<{ entries: number; writes: number }> {
  const { base, records } = await readBackup(placeOf(run));
  const entries = [...base.stores.values()].reduce((all, { length }) => all + length, 0);
  return { entries, writes: records.length };
}

async function restored(run: Run, replace: boolean): Promise<{ entries: number; writes: number }> {
  // Read first: what is there is not deleted for a backup that does not hold.
  await readBackup(placeOf(run));
  // Loaded when they are needed: who only asks for help does not wait for the roles.
  const [{ openDatabase }, { kgcbpStores }] = [await import("../store/level.js"), await import("../world/roles.js")];
  const database = await openDatabase(run.folder.roles);
  try {
    const { keys, work } = kgcbpStores(database);
    if (replace) for (const store of [keys, work]) await clear(store);
    return await restore(placeOf(run), { [BACKED.keys]: keys, [BACKED.work]: work });
  } catch (error) {
    throw explained(error);
  } finally {
    await database.close();
  }
}

async function clear(store: Store): Promise<void> {
  await store.write((await store.range("")).map(({ key }) => ({ key, value: undefined })));
}

function explained(error: unknown): unknown {
  if (!(error instanceof VeilgridError) || error.code !== "not-empty") return error;
  const { code, facts, blame } = error;
  return new VeilgridError(code, "KGCBP's stores are there: --replace deletes them first", {
    facts,
    blame,
    cause: error,
  });
}
