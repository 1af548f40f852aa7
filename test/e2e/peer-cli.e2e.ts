import { expect } from "chai";
import { FABRIC, itRunsOnFabric } from "../src/documents/fabric-guide.js";
import { readText } from "../src/documents/repository.js";
import { ShellSession } from "../src/documents/session.js";
import { scratchFolder } from "../src/world/scratch.js";

const BASE_PORT = 18_350;
const DOCUMENT = "docs/peer-cli.md";

describe(DOCUMENT, () => {
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

  itRunsOnFabric(DOCUMENT, () => session);

  it("shows every function of the contract", () => {
    const contract = readText("chaincode/src/contract.ts");
    const names = [...contract.matchAll(/@Returns\("string"\)\s+async (\w+)/g)].map(([, name]) => name as string);
    expect(names).to.have.length(12);
    const document = readText(DOCUMENT);
    for (const name of names) expect(document, name).to.include(`"function":"${name}"`);
  });
});
