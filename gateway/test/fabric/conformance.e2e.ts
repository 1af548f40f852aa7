import { FabricLedger } from "../../src/fabric/ledger.js";
import { describeLedger } from "../ledger/conformance.js";
import { TestNetwork } from "./network.js";

let network: TestNetwork | undefined;
let ledger: FabricLedger | undefined;

describeLedger(
  "a channel of a real Fabric network",
  async () => {
    network = await TestNetwork.start(18_350);
    ledger = await FabricLedger.open({ profile: await network.profile(), path: network.newFolder() });
    return { ledger, callers: ["DA0MSP", "CCMSP"] };
  },
  async () => {
    await ledger?.close();
    await network?.stop();
  },
);
