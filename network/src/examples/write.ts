import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExampleMembers } from "./members.js";
import { exampleMonth } from "./month.js";

/**
 * Writes an example's parameter set (`params.bin`), the certificate of its election (`election.cert`) and its blocks
 * (`epoch.block`, `epoch.cert`, ...) into a folder.
 * @returns the names of the files, in the order in which they are submitted.
 */
export async function writeExamples(folder: string, members: ExampleMembers): Promise<string[]> {
  const { params, election, blocks } = await exampleMonth(members);
  const files = new Map([
    ["params.bin", params],
    ["election.cert", election],
  ]);
  for (const [name, { block, cert }] of blocks) files.set(`${name}.block`, block).set(`${name}.cert`, cert);
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return [...files.keys()];
}
