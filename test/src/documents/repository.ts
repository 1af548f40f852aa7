import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder: this file is compiled to test/dist/src/documents. */
export const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..");

/** Folders that hold nothing of the repository's own. */
const FOREIGN = new Set(["node_modules", "dist", "coverage", ".git"]);

/** A file of the repository by its path in it, with forward slashes. */
export function readText(path: string): string {
  return readFileSync(join(REPOSITORY, path), "utf8");
}

/** The repository's own files whose names end so, by their paths in it. */
export function filesEndingIn(ending: string, folder = ""): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return FOREIGN.has(entry.name) ? [] : filesEndingIn(ending, path);
      return entry.isFile() && entry.name.endsWith(ending) ? [relative("", path).replaceAll("\\", "/")] : [];
    })
    .sort();
}
