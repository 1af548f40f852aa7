import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LedgerView } from "@veilgrid/protocol";
import type { PeerLedger } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import { KGCBP_MSP } from "../world/consortium.js";
import { openPeers } from "../world/ledger.js";
import { authorityFile, FILE } from "./configurations.js";
import { SERVER_NAME } from "./names.js";
import type { Overview } from "./overview.js";

/**
 * The ledger as whoever runs a consortium of one machine reads it: as KGCBP, whose folder is there too.
 * @param folder the consortium's.
 * @param path folder of a copy of the state, for this process alone.
 * @throws VeilgridError as the ledgers do.
 */
export async function openOwnLedger(overview: Overview, folder: string, path: string, log: Log): Promise<PeerLedger> {
  if (overview.ledger === "fabric") return openPeers(overview.profile ?? "", path, log);
  // Loaded when it is needed: Fabric's runs do without.
  const { RemoteLedger } = await import("../remote/ledger.js");
  const own = join(folder, "kgcbp");
  const { host, ledger } = overview.places;
  return RemoteLedger.open({
    endpoint: {
      target: `${host}:${ledger.listen}`,
      authority: await readFile(join(own, authorityFile("ledger")), "utf8"),
      serverName: SERVER_NAME,
    },
    identities: [
      {
        msp: KGCBP_MSP,
        certificate: await readFile(join(own, FILE.certificate), "utf8"),
        key: await readFile(join(own, FILE.key), "utf8"),
      },
    ],
    path,
    log,
  });
}

/** Has the consortium set up on a ledger where nobody has yet. @throws VeilgridError `no-chaincode` and as `submit`. */
export async function ensureSetUp(ledger: PeerLedger): Promise<void> {
  if (await new LedgerView(ledger.state).isSetUp()) return;
  await ledger.as({ msp: KGCBP_MSP }).submit({ name: "setup", args: [] });
}
