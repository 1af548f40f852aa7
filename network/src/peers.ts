import { join } from "node:path";
import { commandFailed, run, type Said } from "./command.js";
import type { Organisation } from "./consortium.js";
import { peerMsp, peerTls, userMsp } from "./identities.js";
import { gatewayPatience } from "./patience.js";
import { HOST } from "./ports.js";
import type { ProcessPlan } from "./process.js";
import type { Site } from "./site.js";
import { LOGGING } from "./logging.js";

/** The name of an organisation's peer among the processes. */
export function peerName({ name }: Organisation): string {
  return `peer.${name}`;
}

/** The variable by which a peer's builder finds how to reach the organisation's chaincode services. */
const CONNECTIONS = "VEILGRID_CCAAS_CONNECTIONS";

/**
 * What gossip and delivery do slowly by default, and a small network can do fast: with the stock values peers that
 * probed each other before all had joined find no endorsers for 25 s, and one that lost its orderer may pause for an
 * hour.
 */
const BRISK = {
  CORE_PEER_GOSSIP_RECONNECTINTERVAL: "1s",
  CORE_PEER_GOSSIP_PUBLISHSTATEINFOINTERVAL: "1s",
  CORE_PEER_GOSSIP_REQUESTSTATEINFOINTERVAL: "1s",
  CORE_PEER_DELIVERYCLIENT_RECONNECTBACKOFFTHRESHOLD: "5s",
  CORE_PEER_DELIVERYCLIENT_BLOCKCENSORSHIPTIMEOUTKEY: "5s",
};

/** How an organisation's peer runs: stock core.yaml, and what differs in its environment. */
export function peerPlan(site: Site, organisation: Organisation): ProcessPlan {
  const { folder } = site;
  const ports = site.ports(organisation);
  const name = peerName(organisation);
  const data = folder.data(name);
  const tls = peerTls(folder, organisation);
  const address = `${HOST}:${ports.peer}`;
  const chaincodeAddress = `${HOST}:${ports.peerChaincode}`;
  const builders = [
    { name: "ccaas", path: folder.builder, propagateEnvironment: [CONNECTIONS] },
    // npm finds its configuration and its cache by HOME.
    { name: "node", path: join(folder.builder, "node"), propagateEnvironment: ["HOME"] },
  ];
  return {
    name,
    file: site.command("peer"),
    args: ["node", "start"],
    cwd: folder.root,
    ports: [ports.peer, ports.peerChaincode, ports.peerOperations],
    env: {
      ...BRISK,
      [CONNECTIONS]: folder.connections(organisation),
      FABRIC_CFG_PATH: folder.config,
      ...LOGGING,
      CORE_PEER_ID: name,
      CORE_PEER_LOCALMSPID: organisation.msp,
      CORE_PEER_MSPCONFIGPATH: peerMsp(folder, organisation),
      CORE_PEER_ADDRESS: address,
      CORE_PEER_LISTENADDRESS: address,
      CORE_PEER_CHAINCODEADDRESS: chaincodeAddress,
      CORE_PEER_CHAINCODELISTENADDRESS: chaincodeAddress,
      CORE_PEER_GOSSIP_BOOTSTRAP: address,
      CORE_PEER_GOSSIP_EXTERNALENDPOINT: address,
      CORE_PEER_TLS_ENABLED: "true",
      CORE_PEER_TLS_CERT_FILE: tls.certificate,
      CORE_PEER_TLS_KEY_FILE: tls.key,
      CORE_PEER_TLS_ROOTCERT_FILE: tls.authority,
      CORE_PEER_FILESYSTEMPATH: data,
      CORE_LEDGER_SNAPSHOTS_ROOTDIR: join(data, "snapshots"),
      CORE_PEER_GATEWAY_ENDORSEMENTTIMEOUT: `${gatewayPatience(site)}s`,
      // A service answers at once or is not there; one that the builder of type node starts is a new process each, on a
      // busy machine slow, and Fabric leaves one that came too late running beside the next.
      CORE_CHAINCODE_STARTUPTIMEOUT: "30s",
      CORE_CHAINCODE_EXECUTETIMEOUT: "20s",
      CORE_CHAINCODE_EXTERNALBUILDERS: JSON.stringify(builders),
      // Empty: no Docker.
      CORE_VM_ENDPOINT: "",
      CORE_OPERATIONS_LISTENADDRESS: `${HOST}:${ports.peerOperations}`,
      CORE_METRICS_PROVIDER: "prometheus",
    },
  };
}

/** Environment of the command `peer` as an organisation's administrator, talking to the organisation's peer. */
export function adminEnvironment(site: Site, organisation: Organisation): Record<string, string> {
  const { folder } = site;
  return {
    FABRIC_CFG_PATH: folder.config,
    FABRIC_LOGGING_SPEC: "warn",
    CORE_PEER_TLS_ENABLED: "true",
    CORE_PEER_TLS_ROOTCERT_FILE: peerTls(folder, organisation).authority,
    CORE_PEER_ADDRESS: `${HOST}:${site.ports(organisation).peer}`,
    CORE_PEER_LOCALMSPID: organisation.msp,
    CORE_PEER_MSPCONFIGPATH: userMsp(folder, organisation, "Admin"),
  };
}

/** Runs the command `peer` as an organisation's administrator. @param own variables that go before that one's. */
export function peerCommand(
  site: Site,
  organisation: Organisation,
  args: readonly string[],
  own: Readonly<Record<string, string>> = {},
): Promise<Said> {
  return run(site.command("peer"), args, { env: { ...adminEnvironment(site, organisation), ...own }, timeout: 60_000 });
}

/** Lets a peer join the channel, unless it has. @throws VeilgridError `command-failed`. */
export async function joinPeer(site: Site, member: Organisation): Promise<void> {
  const said = await peerCommand(site, member, ["channel", "join", "-b", site.folder.genesis]);
  if (said.ok || said.stderr.includes("already exists with state [ACTIVE]")) return;
  throw commandFailed(`peer channel join of ${peerName(member)}`, said);
}
