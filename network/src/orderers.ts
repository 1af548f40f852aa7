import { VeilgridError } from "@veilgrid/protocol";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandFailed, run, type Said } from "./command.js";
import { CHANNEL, type Aggregator } from "./consortium.js";
import { ordererAdminTls, ordererMsp, ordererTls } from "./identities.js";
import { HOST } from "./ports.js";
import type { ProcessPlan } from "./process.js";
import type { Site } from "./site.js";
import { LOGGING } from "./logging.js";

/** The name of an aggregator's orderer among the processes. */
export function ordererName({ name }: Aggregator): string {
  return `orderer.${name}`;
}

/** How an aggregator's orderer runs: stock orderer.yaml, and what differs in its environment. */
export function ordererPlan(site: Site, aggregator: Aggregator): ProcessPlan {
  const { folder } = site;
  const ports = site.ports(aggregator);
  const name = ordererName(aggregator);
  const data = folder.data(name);
  const tls = ordererTls(folder, aggregator);
  return {
    name,
    file: site.command("orderer"),
    args: [],
    cwd: folder.root,
    ports: [ports.orderer, ports.ordererAdmin, ports.ordererOperations],
    env: {
      FABRIC_CFG_PATH: folder.config,
      ...LOGGING,
      ORDERER_GENERAL_LISTENADDRESS: HOST,
      ORDERER_GENERAL_LISTENPORT: String(ports.orderer),
      ORDERER_GENERAL_LOCALMSPID: aggregator.orderer.msp,
      ORDERER_GENERAL_LOCALMSPDIR: ordererMsp(folder, aggregator),
      ORDERER_GENERAL_TLS_ENABLED: "true",
      ORDERER_GENERAL_TLS_PRIVATEKEY: tls.key,
      ORDERER_GENERAL_TLS_CERTIFICATE: tls.certificate,
      ORDERER_GENERAL_TLS_ROOTCAS: `[${tls.authority}]`,
      ORDERER_GENERAL_BOOTSTRAPMETHOD: "none",
      ORDERER_CHANNELPARTICIPATION_ENABLED: "true",
      ORDERER_FILELEDGER_LOCATION: data,
      ORDERER_CONSENSUS_WALDIR: join(data, "wal"),
      ORDERER_CONSENSUS_SNAPDIR: join(data, "snap"),
      ORDERER_OPERATIONS_LISTENADDRESS: `${HOST}:${ports.ordererOperations}`,
      ORDERER_METRICS_PROVIDER: "prometheus",
      ORDERER_ADMIN_LISTENADDRESS: `${HOST}:${ports.ordererAdmin}`,
      ORDERER_ADMIN_TLS_ENABLED: "true",
      ORDERER_ADMIN_TLS_CERTIFICATE: tls.certificate,
      ORDERER_ADMIN_TLS_PRIVATEKEY: tls.key,
      ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED: "true",
      ORDERER_ADMIN_TLS_CLIENTROOTCAS: `[${tls.authority}]`,
    },
  };
}

function osnadmin(site: Site, da: Aggregator, args: readonly string[]): Promise<Said> {
  const { authority, certificate, key } = ordererAdminTls(site.folder, da);
  const access = ["--ca-file", authority, "--client-cert", certificate, "--client-key", key];
  const address = `${HOST}:${site.ports(da).ordererAdmin}`;
  return run(site.command("osnadmin"), ["channel", ...args, "--channelID", CHANNEL, "-o", address, ...access], {
    timeout: 15_000,
  });
}

/** osnadmin ends well whatever the orderer answers, so the answer's status is read. */
function statusOf({ stdout }: Said): number {
  return Number(/^Status: (\d+)/m.exec(stdout)?.[1] ?? 0);
}

/**
 * Lets an orderer join the channel, unless it has: by the channel's first block, or by the one that made it a consenter.
 * @throws VeilgridError `command-failed`.
 */
export async function joinOrderer(site: Site, da: Aggregator): Promise<void> {
  const own = site.folder.joinBlock(da);
  const said = await osnadmin(site, da, ["join", "--config-block", existsSync(own) ? own : site.folder.genesis]);
  if (statusOf(said) === 201 || said.stdout.includes("channel already exists")) return;
  throw commandFailed(`osnadmin channel join of ${ordererName(da)}`, said);
}

/** Number of blocks that an orderer has. @throws VeilgridError `orderer-unreachable`. */
export async function ordererHeight(site: Site, da: Aggregator): Promise<number> {
  const said = await osnadmin(site, da, ["list"]);
  const height = /"height":\s*(\d+)/.exec(said.stdout)?.[1];
  if (height !== undefined) return Number(height);
  throw new VeilgridError("orderer-unreachable", `${ordererName(da)} does not tell its height`, {
    facts: { process: ordererName(da) },
    blame: "operator",
    retry: true,
  });
}
