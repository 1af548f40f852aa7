import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { VeilgridError, consortiumId } from "@veilgrid/protocol";
import type { Command } from "commander";
import { readBackup, restore, type BackupPlace } from "../kgcbp/backup.js";
import { BACKED } from "../kgcbp/safe.js";
import type { Store } from "../ports/store.js";
import type { Database } from "../store/level.js";
import { runParamsBytes } from "../world/consortium.js";
import type { Run } from "../world/run.js";
import { addDeskOptions, ON_A_SERVICE, withDesk, type DeskOptions } from "./kgcbp-desk.js";
import { examples } from "./options.js";
import { counted, line, printJson } from "./output.js";
import { withRun } from "./stages.js";

interface RestoreOptions extends DeskOptions {
  readonly replace?: boolean;
  readonly dryRun?: boolean;
}

const BACKUP_NOTES = `The backup is DIR/backup: a base copy of KGCBP's stores and a journal of every write since, which a run keeps by itself.
A new base copy makes the journal short again. Secrets are sealed in both: what opens them is DIR/vault, which is never
part of a backup and which an operator keeps elsewhere. A service's are where its configuration says.`;

const RESTORE_NOTES = `Makes KGCBP's stores what they were at the last write of DIR/backup. Where DIR/vault is not the backup's own, or a month
was erased since, its secrets stay shut.

With --config FILE, the configuration of a KGCBP that is to run as a service on this machine and does not run now, the
backup and the stores are those that it names.`;

/** `veilgrid kgcbp backup` and `veilgrid kgcbp restore`. */
export function addKgcbpBackup(parent: Command): void {
  addDeskOptions(parent.command("backup"))
    .description("take a new base copy of KGCBP's stores, and begin the journal anew")
    .addHelpText(
      "after",
      examples(
        ["veilgrid kgcbp backup --out my-run", "veilgrid kgcbp backup --config kgcbp.yaml"],
        `${BACKUP_NOTES}\n\n${ON_A_SERVICE}`,
      ),
    )
    .action((options: DeskOptions) => backup(options));
  addDeskOptions(parent.command("restore"))
    .description("make KGCBP's stores anew from its backup")
    .option("--replace", "delete what KGCBP's stores have now")
    .option("--dry-run", "check the backup, say what it has, and change nothing")
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid kgcbp restore --dry-run --out my-run",
          "veilgrid kgcbp restore --replace --out my-run",
          "veilgrid kgcbp restore --config kgcbp.yaml",
        ],
        RESTORE_NOTES,
      ),
    )
    .action((options: RestoreOptions) => restoreRun(options));
}

async function backup(options: DeskOptions): Promise<void> {
  await withDesk(options, async ({ kgcbp }) => {
    const { number, file, entries, bytes } = await kgcbp.copy();
    if (options.json === true) printJson({ file, entries, bytes, writes: number.toString() });
    else line(`${file}: ${counted(entries, "entry", "entries")}, ${counted(bytes, "byte")}`);
  });
}

/** A KGCBP's stores and their backup. */
interface Restorable {
  readonly place: BackupPlace;
  /** Path of the database. */
  readonly database: string;
  readonly stores: (database: Database) => Promise<{ readonly keys: Store; readonly work: Store }>;
}

async function restoreRun({ replace = false, dryRun = false, config, ...options }: RestoreOptions): Promise<void> {
  const work = async (restorable: Restorable): Promise<void> => {
    const done = dryRun ? await content(restorable) : await restored(restorable, replace);
    if (options.json === true) printJson({ ...done, dryRun });
    else line(`${dryRun ? "nothing changed; the backup has" : "restored"} ${said(done)}`);
  };
  if (config === undefined) await withRun(options, (run) => work(ofRun(run)));
  else await work(await ofService(config));
}

function said({ entries, writes }: { readonly entries: number; readonly writes: number }): string {
  return `${counted(entries, "entry", "entries")} and ${counted(writes, "write")} since`;
}

function ofRun({ folder, record, keys }: Run): Restorable {
  return {
    place: { folder: folder.backup, consortium: consortiumId(runParamsBytes(record, keys)) },
    database: folder.roles,
    stores: async (database) => (await import("../world/roles.js")).kgcbpStores(database),
  };
}

async function ofService(file: string): Promise<Restorable> {
  const [{ readConfiguration }, { kgcbpShape }] = await Promise.all([
    import("../process/configuration.js"),
    import("../service/configuration.js"),
  ]);
  const { data, params, backup: folder } = await readConfiguration(file, kgcbpShape);
  // Of version 1: "SHA-256 of its version 1 bytes" is the consortium's id.
  const consortium = consortiumId(new Uint8Array(await readFile(params)));
  return {
    place: { folder, consortium },
    database: join(data, "roles"),
    stores: async (database) => {
      const [{ LevelStore }, { KGCBP_STORES }] = await Promise.all([
        import("../store/level.js"),
        import("../service/kgcbp.js"),
      ]);
      const { keys, work } = KGCBP_STORES;
      return { keys: new LevelStore(database, keys), work: new LevelStore(database, work) };
    },
  };
}

async function content({ place }: Restorable): Promise<{ entries: number; writes: number }> {
  const { base, records } = await readBackup(place);
  const entries = [...base.stores.values()].reduce((all, { length }) => all + length, 0);
  return { entries, writes: records.length };
}

async function restored(
  { place, database: path, stores }: Restorable,
  replace: boolean,
): Promise<{ entries: number; writes: number }> {
  // Read first: what is there is not deleted for a backup that does not hold.
  await readBackup(place);
  // Loaded when it is needed: who only asks for help does not wait for it.
  const { openDatabase } = await import("../store/level.js");
  await mkdir(path, { recursive: true, mode: 0o700 });
  const database = await openDatabase(path);
  try {
    const { keys, work } = await stores(database);
    if (replace) for (const store of [keys, work]) await clear(store);
    return await restore(place, { [BACKED.keys]: keys, [BACKED.work]: work });
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
