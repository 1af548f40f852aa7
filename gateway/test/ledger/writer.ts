// A program of its own for crash.test: writes to a ledger without end and reports each commit, until it is killed.
import { createHash } from "node:crypto";
import { notes } from "./conformance.js";
import { openLedger } from "./world.js";

const ledger = await openLedger(process.argv[2] as string);
const client = ledger.as({ msp: "Org1" });
const bulk = new Uint8Array(50_000);
for (let round = Number(await ledger.height()); ; round += 1) {
  bulk.fill(round);
  const sha256 = createHash("sha256").update(bulk).digest("hex");
  await Promise.all([
    client.submit(notes("increment", "count")),
    client.submit(notes("put", `key${round % 7}`, round.toString())),
    client.submit({ ...notes("bulk", `bulk${round % 3}`, sha256), transient: { bulk } }),
    client.submit(notes("remove", `key${(round + 3) % 7}`)),
  ]);
  process.send?.(1);
}
