import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is gone after the tests of the describe that it is made in. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "veilgrid-network-"));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
