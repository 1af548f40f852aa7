import { DEADLINES } from "../../src/fabric/deadlines.js";
import { Gateways } from "../../src/fabric/gateways.js";
import { machinePatience } from "../../src/fabric/patience.js";
import { readProfile } from "../../src/fabric/profile.js";
import { Replica } from "../../src/fabric/replica.js";
import { LevelStore, openDatabase } from "../../src/store/level.js";

// A process that follows a channel into a folder, saying the number of each block that it has, until it is killed.
// Arguments: profile, folder.

const [file, folder] = process.argv.slice(2) as [string, string];
const profile = await readProfile(file);
const replica = await Replica.open({
  store: new LevelStore(await openDatabase(folder), "replica"),
  sources: (await Gateways.open(profile, DEADLINES)).sources(),
  chaincode: profile.chaincode,
  // No peer is left: the next block comes when somebody submits.
  patience: { ...machinePatience, stall: 600_000 },
});
for (;;) {
  process.stdout.write(`${replica.height}\n`);
  await replica.reached(replica.height);
}
