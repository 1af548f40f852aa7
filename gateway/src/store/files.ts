import { open, readFile, rename } from "node:fs/promises";
import { VeilgridError } from "@veilgrid/protocol";

/** A file that is either whole or not there: written beside its place, synced, then renamed. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, "w", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/** A file's bytes; undefined where there is none. @throws VeilgridError `unreadable-file`. */
export async function readBytes(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new VeilgridError("unreadable-file", `${path} cannot be read`, { facts: { path }, blame: "operator", cause });
  }
}

/** A file's text; undefined where there is none. @throws VeilgridError `unreadable-file`. */
export async function readWhole(path: string): Promise<string | undefined> {
  return (await readBytes(path))?.toString("utf8");
}

/** A file's JSON; undefined where there is no file. @throws VeilgridError `unreadable-file`, `damaged-folder`. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readWhole(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new VeilgridError("damaged-folder", `${path} is not what a run wrote`, {
      facts: { path },
      blame: "operator",
      cause,
    });
  }
}

/** Has the disk keep which files a folder has: what was made, renamed or deleted in it. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
