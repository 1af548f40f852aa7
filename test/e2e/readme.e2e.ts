import { join } from "node:path";
import { FABRIC, itRunsOnFabric } from "../src/documents/fabric-guide.js";
import { REPOSITORY } from "../src/documents/repository.js";
import { ShellSession } from "../src/documents/session.js";
import { scratchFolder } from "../src/world/scratch.js";

const BASE_PORT = 18_850;
const VEILGRID = `"${process.execPath}" "${join(REPOSITORY, "gateway", "bin", "veilgrid.js")}"`;

describe("the README on real Fabric", function () {
  this.timeout(600_000);
  let session: ShellSession;

  before(() => {
    session = new ShellSession(scratchFolder("readme"));
  });

  after(async () => {
    await session.run(`${FABRIC} reset`);
    await session.end();
  });

  itRunsOnFabric(
    "README.md",
    () => session,
    // Other ports than a network has that somebody uses.
    (command) =>
      command
        .replace("npm run fabric:demo --", `npm run fabric -- demo --base-port ${BASE_PORT}`)
        .replace("fabric -- up", `fabric -- up --base-port ${BASE_PORT}`)
        .replace("npx veilgrid", VEILGRID),
  );
});
