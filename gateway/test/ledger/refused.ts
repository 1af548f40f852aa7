// A program of its own for stub.test: a contract refuses, and whatever the libraries print about it would be seen.
import { failure, notes } from "./conformance.js";
import { openLedger } from "./world.js";

const ledger = await openLedger(process.argv[2] as string);
const error = await failure(ledger.as({ msp: "Org1" }).submit(notes("refuse", "too-late")));
await failure(ledger.as({ msp: "Org1" }).submit(notes("no such function")));
await ledger.close();
process.stdout.write(error.code);
