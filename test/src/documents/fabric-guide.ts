import { expect } from "chai";
import { join } from "node:path";
import { fencesOf } from "./fences.js";
import { readText, REPOSITORY } from "./repository.js";
import type { ShellSession } from "./session.js";
import { firstMismatch, stepsOf } from "./transcript.js";

/** The script `fabric` of package.json without its build. */
export const FABRIC = `"${process.execPath}" "${join(REPOSITORY, "network", "bin", "fabric.js")}"`;

/**
 * A test for each block of a document that needs a real network: its commands run in one shell, exit as the document says
 * and print what it shows.
 */
export function itRunsOnFabric(
  document: string,
  session: () => ShellSession,
  change: (command: string) => string = (command) => command,
): void {
  for (const fence of fencesOf(readText(document)).filter(({ notRun }) => notRun === "needs Fabric's binaries")) {
    const steps = stepsOf(fence);
    it(`line ${fence.line}: ${steps[0]?.command ?? ""}`, async () => {
      for (const { command, exit, output } of steps) {
        const own = change(command).replaceAll(/npm run (?:--silent )?fabric --/g, FABRIC);
        const ended = await session().run(own);
        expect(ended.exit, `${command}\n${ended.printed}`).to.equal(exit);
        if (output === undefined) continue;
        const mismatch = firstMismatch(output, ended.printed);
        expect(mismatch, `${command} prints:\n${ended.printed}\nbut the document shows`).to.equal(undefined);
      }
    });
  }
}
