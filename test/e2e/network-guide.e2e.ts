import { FABRIC, itRunsOnFabric } from "../src/documents/fabric-guide.js";
import { ShellSession } from "../src/documents/session.js";
import { scratchFolder } from "../src/world/scratch.js";

const BASE_PORT = 18_650;

describe("docs/network.md", () => {
  let session: ShellSession;

  before(() => {
    session = new ShellSession(scratchFolder("network-guide"));
  });

  after(async () => {
    await session.run(`${FABRIC} reset`);
    await session.end();
  });

  itRunsOnFabric(
    "docs/network.md",
    () => session,
    // Other ports than a network has that somebody uses.
    (command) => command.replace("fabric -- up", `fabric -- up --base-port ${BASE_PORT}`),
  );
});
