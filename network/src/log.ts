import { copyFileSync, existsSync, readFileSync, statSync, truncateSync } from "node:fs";
import { tail } from "./command.js";
import type { StateFolder } from "./folder.js";

/**
 * Bytes that a process's log may have before it is put aside; one that was put aside is kept. Twice this for each of
 * the 15 processes of four aggregators is 240 MiB, however long they run.
 */
export const LOG_LIMIT = 8 * 1024 * 1024;

function older(folder: StateFolder, name: string): string {
  return `${folder.log(name)}.1`;
}

/**
 * Puts a log aside that has grown over the limit, in the place of the one before. The process keeps its file open and
 * appends to it, so the file is copied and emptied: a line that comes between the two is lost.
 * @returns whether it was.
 */
export function boundLog(folder: StateFolder, name: string, limit = LOG_LIMIT): boolean {
  const log = folder.log(name);
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) <= limit) return false;
  copyFileSync(log, older(folder, name));
  truncateSync(log);
  return true;
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** The last lines that a process wrote, also those that were put aside. */
export function lastLines(folder: StateFolder, name: string, lines?: number): string {
  return tail(textOf(older(folder, name)) + textOf(folder.log(name)), lines);
}
