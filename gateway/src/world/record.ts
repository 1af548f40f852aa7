import { VeilgridError } from "@veilgrid/protocol";
import { readJson } from "../store/files.js";
import type { DataFolder } from "./folder.js";
import { runSchema, type RunRecord } from "./plan.js";

/** What the run in a folder was asked for; undefined where the folder holds no run. @throws VeilgridError `damaged-folder`. */
export async function keptRecord(folder: DataFolder): Promise<RunRecord | undefined> {
  const json = await readJson(folder.run);
  if (json === undefined) return undefined;
  const parsed = runSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new VeilgridError("damaged-folder", `${folder.run} is not what a run wrote`, {
    facts: { folder: folder.path },
    blame: "operator",
    cause: parsed.error,
  });
}

/** @throws VeilgridError `no-run`, `damaged-folder`. */
export async function requireRecord(folder: DataFolder): Promise<RunRecord> {
  const record = await keptRecord(folder);
  if (record !== undefined) return record;
  throw new VeilgridError("no-run", `${folder.path} holds no run; veilgrid setup makes one`, {
    facts: { folder: folder.path },
    blame: "caller",
  });
}
