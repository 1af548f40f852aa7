import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { must } from "./command.js";
import { CC, isAggregator, organisations, type Aggregator, type Organisation } from "./consortium.js";
import type { StateFolder } from "./folder.js";
import type { Site } from "./site.js";

// Folders as cryptogen lays them out. Everything below is of one machine's trial network: where it is more than that,
// every organisation makes its keys itself, and no folder has them all.

/** The host part of a peer's, an orderer's and a chaincode service's certificate. */
const PEER = "peer0";
const ORDERER = "orderer";
const SERVICE = "chaincode";

/** Who a client is within its organisation. */
export type User = "Admin" | "User1";

/** Certificate and key files for TLS. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Of the authority that issued the certificate. */
  readonly authority: string;
}

function peerRoot(folder: StateFolder, { domain }: Organisation): string {
  return join(folder.crypto, "peerOrganizations", domain);
}

function ordererRoot(folder: StateFolder, { orderer }: Aggregator): string {
  return join(folder.crypto, "ordererOrganizations", orderer.domain);
}

function nodeFolder(root: string, kind: "peers" | "orderers", host: string, domain: string): string {
  return join(root, kind, `${host}.${domain}`);
}

function tlsFiles(folder: string, side: "server" | "client"): TlsFiles {
  return {
    certificate: join(folder, "tls", `${side}.crt`),
    key: join(folder, "tls", `${side}.key`),
    authority: join(folder, "tls", "ca.crt"),
  };
}

/** The name that a peer's certificate has besides its address. */
export function peerHost({ domain }: Organisation): string {
  return `${PEER}.${domain}`;
}

export function organisationMsp(folder: StateFolder, organisation: Organisation): string {
  return join(peerRoot(folder, organisation), "msp");
}

export function ordererOrganisationMsp(folder: StateFolder, aggregator: Aggregator): string {
  return join(ordererRoot(folder, aggregator), "msp");
}

export function peerMsp(folder: StateFolder, organisation: Organisation): string {
  return join(nodeFolder(peerRoot(folder, organisation), "peers", PEER, organisation.domain), "msp");
}

export function peerTls(folder: StateFolder, organisation: Organisation): TlsFiles {
  return tlsFiles(nodeFolder(peerRoot(folder, organisation), "peers", PEER, organisation.domain), "server");
}

export function serviceTls(folder: StateFolder, organisation: Organisation): TlsFiles {
  return tlsFiles(nodeFolder(peerRoot(folder, organisation), "peers", SERVICE, organisation.domain), "server");
}

export function ordererMsp(folder: StateFolder, aggregator: Aggregator): string {
  const { domain } = aggregator.orderer;
  return join(nodeFolder(ordererRoot(folder, aggregator), "orderers", ORDERER, domain), "msp");
}

export function ordererTls(folder: StateFolder, aggregator: Aggregator): TlsFiles {
  const { domain } = aggregator.orderer;
  return tlsFiles(nodeFolder(ordererRoot(folder, aggregator), "orderers", ORDERER, domain), "server");
}

/** The certificate that stands for an orderer in the channel's list of consenters. */
export function consenterCertificate(folder: StateFolder, aggregator: Aggregator): string {
  return join(ordererMsp(folder, aggregator), "signcerts", `${ORDERER}.${aggregator.orderer.domain}-cert.pem`);
}

/** With what an orderer's administrator is let in at its admin port. */
export function ordererAdminTls(folder: StateFolder, aggregator: Aggregator): TlsFiles {
  const admin = join(ordererRoot(folder, aggregator), "users", `Admin@${aggregator.orderer.domain}`);
  return tlsFiles(admin, "client");
}

function userFolder(folder: StateFolder, organisation: Organisation, user: User): string {
  return join(peerRoot(folder, organisation), "users", `${user}@${organisation.domain}`);
}

/** The administrator's MSP of an aggregator's orderer organisation: it signs what changes the ordering. */
export function ordererAdminMsp(folder: StateFolder, aggregator: Aggregator): string {
  return join(ordererRoot(folder, aggregator), "users", `Admin@${aggregator.orderer.domain}`, "msp");
}

export function userMsp(folder: StateFolder, organisation: Organisation, user: User): string {
  return join(userFolder(folder, organisation, user), "msp");
}

/** A client's certificate and private key. */
export function userKeys(
  folder: StateFolder,
  organisation: Organisation,
  user: User,
): { readonly certificate: string; readonly key: string } {
  const msp = userMsp(folder, organisation, user);
  const certificate = join(msp, "signcerts", `${user}@${organisation.domain}-cert.pem`);
  return { certificate, key: join(msp, "keystore", "priv_sk") };
}

const SANS = "SANS: [127.0.0.1, localhost]";

function ordererLine({ orderer: { name, domain } }: Aggregator): string {
  return `  - {Name: ${name}, Domain: ${domain}, EnableNodeOUs: true, Specs: [{Hostname: ${ORDERER}, ${SANS}}]}`;
}

function peerLine(organisation: Organisation): string {
  const hosts = organisation === CC ? [] : [PEER, SERVICE];
  const specs = hosts.map((host) => `{Hostname: ${host}, ${SANS}}`).join(", ");
  const { name, domain } = organisation;
  return `  - {Name: ${name}, Domain: ${domain}, EnableNodeOUs: true, Specs: [${specs}], Users: {Count: 1}}`;
}

/** What cryptogen is told of organisations; an aggregator has two, one of them for its orderer. */
export function cryptoConfig(members: readonly Organisation[]): string {
  return [
    "OrdererOrgs:",
    ...members.filter(isAggregator).map(ordererLine),
    "PeerOrgs:",
    ...members.map(peerLine),
    "",
  ].join("\n");
}

/** Makes certificates and keys of organisations. @returns the folder that has them. */
async function generate(site: Site, members: readonly Organisation[]): Promise<string> {
  const { folder } = site;
  const partial = `${folder.crypto}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(folder.config, { recursive: true });
  const config = join(folder.config, "crypto-config.yaml");
  writeFileSync(config, cryptoConfig(members));
  await must("cryptogen", site.command("cryptogen"), ["generate", `--config=${config}`, `--output=${partial}`]);
  // A service needs its TLS pair only; the identity that cryptogen gives it besides could endorse as a peer.
  for (const { domain } of members.filter(({ name }) => name !== CC.name)) {
    const service = nodeFolder(join(partial, "peerOrganizations", domain), "peers", SERVICE, domain);
    rmSync(join(service, "msp"), { recursive: true });
  }
  return partial;
}

/** Makes the certificates and keys of all organisations of a new network, unless they are there. */
export async function makeIdentities(site: Site): Promise<void> {
  if (existsSync(site.folder.crypto)) return;
  renameSync(await generate(site, organisations(site.founders)), site.folder.crypto);
}

/** Makes the certificates and keys of an aggregator that joins, with authorities of its own, unless they are there. */
export async function makeNewcomer(site: Site, aggregator: Aggregator): Promise<void> {
  const places = [
    ["ordererOrganizations", ordererRoot(site.folder, aggregator)],
    ["peerOrganizations", peerRoot(site.folder, aggregator)],
  ] as const;
  const due = places.filter(([, root]) => !existsSync(root));
  if (due.length === 0) return;
  const made = await generate(site, [aggregator]);
  for (const [kind, root] of due) renameSync(join(made, kind, basename(root)), root);
  rmSync(made, { recursive: true });
}
