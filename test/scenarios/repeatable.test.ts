import { expect } from "chai";
import { honestRun, SMALL } from "../src/world/honest.js";
import { filesUnder } from "../src/world/folder-files.js";
import { beginRun, finish, type Finished } from "../src/world/small-run.js";

/** What a run leaves behind for others, but the databases, whose files depend on when they were compacted, and seals. */
function lasting({ run }: Finished): Record<string, string> {
  const databases = /^(?:ledger|roles|backup|vault)\//;
  const files = [...filesUnder(run.folder.path)].filter(([path]) => !databases.test(path));
  return Object.fromEntries(files.map(([path, bytes]) => [path, bytes.toString("base64")]));
}

describe("a run with a seed", () => {
  let honest: Finished;
  before(async () => {
    honest = await honestRun();
  });

  it("is repeatable to the byte: keys, ledger, bills and tables", async () => {
    const again = await finish(await beginRun(SMALL));
    expect(again.tip).to.equal(honest.tip);
    expect(lasting(again)).to.deep.equal(lasting(honest));
    // Twelve encrypted bills are among the files.
    expect(Object.keys(lasting(again)).filter((path) => path.startsWith("ipfs/"))).to.have.length(12);
  });

  it("gives the same ledger with the memory of verified readings off", async () => {
    const forgetful = await finish(await beginRun(SMALL), { remember: false });
    expect(forgetful.tip).to.equal(honest.tip);
    expect(lasting(forgetful)).to.deep.equal(lasting(honest));
  });

  it("is another one with another seed, and with none", async () => {
    const [other, random] = [await beginRun(SMALL, { seed: "8" }), await beginRun(SMALL, { seed: null })];
    const bids = [honest.run, other, random].map(({ keys }) => Buffer.from(keys.homes[0]?.bid ?? []).toString("hex"));
    expect(new Set(bids).size).to.equal(3);
  });
});
