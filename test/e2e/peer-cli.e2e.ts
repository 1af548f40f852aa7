import { expect } from "chai";
import { join } from "node:path";
import { fencesOf } from "../src/documents/fences.js";
import { readText, REPOSITORY } from "../src/documents/repository.js";
import { ShellSession } from "../src/documents/session.js";
import { firstMismatch, stepsOf } from "../src/documents/transcript.js";
import { scratchFolder } from "../src/world/scratch.js";

const BASE_PORT = 18_350;
/** The script of package.json without its build. */
const FABRIC = `"${process.execPath}" "${join(REPOSITORY, "network", "bin", "fabric.js")}"`;

describe("docs/peer-cli.md", () => {
  const document = readText("docs/peer-cli.md");
  const fences = fencesOf(document).filter(({ notRun }) => notRun === "needs Fabric's binaries");
  let session: ShellSession;

  before(async () => {
    session = new ShellSession(scratchFolder("peer-cli"));
    // Other ports than a network has that somebody uses.
    const { exit, printed } = await session.run(`${FABRIC} up --base-port ${BASE_PORT}`);
    expect(exit, printed).to.equal(0);
  });

  after(async () => {
    await session.run(`${FABRIC} reset`);
    await session.end();
  });

  for (const fence of fences) {
    const steps = stepsOf(fence);
    it(`line ${fence.line}: ${steps[0]?.command ?? ""}`, async () => {
      for (const { command, exit, output } of steps) {
        const ended = await session.run(command.replaceAll(/npm run (?:--silent )?fabric --/g, FABRIC));
        expect(ended.exit, `${command}\n${ended.printed}`).to.equal(exit);
        if (output === undefined) continue;
        const mismatch = firstMismatch(output, ended.printed);
        expect(mismatch, `${command} prints:\n${ended.printed}\nbut the document shows`).to.equal(undefined);
      }
    });
  }

  it("shows every function of the contract", () => {
    const contract = readText("chaincode/src/contract.ts");
    const names = [...contract.matchAll(/@Returns\("string"\)\s+async (\w+)/g)].map(([, name]) => name as string);
    expect(names).to.have.length(12);
    for (const name of names) expect(document, name).to.include(`"function":"${name}"`);
  });
});
