import { describeLedger } from "../ledger/conformance.js";
import { Served } from "./served.js";

let served: Served;

describeLedger(
  "a ledger service's client",
  async () => {
    served = await Served.start();
    const ledger = await served.open([await served.identity("Org1"), await served.identity("Org2")]);
    return { ledger, callers: ["Org1", "Org2"] };
  },
  () => served.stop(),
);
