import { Folders, openLedger } from "./world.js";
import { describeLedger } from "./conformance.js";
import type { EmbeddedLedger } from "../../src/ledger/embedded.js";

const folders = new Folders();
let ledger: EmbeddedLedger;

describeLedger(
  "the embedded ledger",
  async () => {
    ledger = await openLedger(folders.make());
    return { ledger, callers: ["Org1", "Org2"] };
  },
  async () => {
    await ledger.close();
    folders.remove();
  },
);
