import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let root: string | undefined;
let made = 0;

/** A folder of its own for a test; all of them go when the process ends. */
export function scratchFolder(name: string): string {
  if (root === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "veilgrid-test-"));
    process.once("exit", () => {
      rmSync(folder, { recursive: true, force: true });
    });
    root = folder;
  }
  made += 1;
  const folder = join(root, `${String(made).padStart(3, "0")}-${name}`);
  mkdirSync(folder);
  return folder;
}
