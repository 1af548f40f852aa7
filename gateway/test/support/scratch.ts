import { isVeilgridError, type VeilgridError } from "@veilgrid/protocol";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for a suite's files, made before its tests and removed after them. */
export function scratch(): { readonly path: string } {
  const folder = { path: "" };
  before(async () => {
    folder.path = await mkdtemp(join(tmpdir(), "veilgrid-test-"));
  });
  after(async () => {
    await rm(folder.path, { recursive: true, force: true });
  });
  return folder;
}

/** The VeilgridError that something ends in. */
export async function problemIn(work: Promise<unknown>): Promise<VeilgridError> {
  const outcome: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isVeilgridError(outcome)) return outcome;
  throw new Error(`a VeilgridError was due, not ${String(outcome)}`);
}
