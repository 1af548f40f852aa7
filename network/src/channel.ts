import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "./command.js";
import {
  CC,
  CHANNEL,
  consenterId,
  endorsementPolicy,
  organisations,
  type Aggregator,
  type Organisation,
} from "./consortium.js";
import { consenterCertificate, ordererOrganisationMsp, ordererTls, organisationMsp } from "./identities.js";
import { HOST } from "./ports.js";
import type { Site } from "./site.js";

/**
 * SmartBFT's times. A leader that is gone while something waits is noticed after Forward + Complain, 11 s; when nothing
 * waits, after the heartbeat's time-out. With a Complain of 5 s an orderer was seen to complain wrongly under load.
 */
export const SMART_BFT = {
  RequestBatchMaxCount: 20,
  RequestBatchMaxBytes: 8_388_608,
  RequestBatchMaxInterval: "20ms",
  RequestForwardTimeout: "1s",
  RequestComplainTimeout: "10s",
  RequestAutoRemoveTimeout: "60s",
  ViewChangeResendInterval: "1s",
  ViewChangeTimeout: "5s",
  LeaderHeartbeatTimeout: "10s",
  LeaderHeartbeatCount: 10,
  CollectTimeout: "1s",
  IncomingMessageBufferSize: 200,
  RequestPoolSize: 400,
} as const;

function rule(name: string, policy: string): string {
  return `      ${name}: {Type: Signature, Rule: "${policy}"}`;
}

function ordererOrganisation(site: Site, aggregator: Aggregator): string {
  const { msp } = aggregator.orderer;
  return [
    `  - &${msp}`,
    `    Name: ${msp}`,
    `    ID: ${msp}`,
    `    MSPDir: ${JSON.stringify(ordererOrganisationMsp(site.folder, aggregator))}`,
    "    Policies:",
    rule("Readers", `OR('${msp}.member')`),
    rule("Writers", `OR('${msp}.member')`),
    rule("Admins", `OR('${msp}.admin')`),
    `    OrdererEndpoints: ["${HOST}:${site.ports(aggregator).orderer}"]`,
  ].join("\n");
}

function organisation(site: Site, member: Organisation): string {
  const { msp } = member;
  const lines = [
    `  - &${msp}`,
    `    Name: ${msp}`,
    `    ID: ${msp}`,
    `    MSPDir: ${JSON.stringify(organisationMsp(site.folder, member))}`,
    "    Policies:",
    rule("Readers", `OR('${msp}.admin','${msp}.peer','${msp}.client')`),
    rule("Writers", `OR('${msp}.admin','${msp}.client')`),
    rule("Admins", `OR('${msp}.admin')`),
    rule("Endorsement", `OR('${msp}.peer')`),
  ];
  if (member !== CC) lines.push(`    AnchorPeers: [{Host: ${HOST}, Port: ${site.ports(member).peer}}]`);
  return lines.join("\n");
}

function consenter(site: Site, aggregator: Aggregator): string {
  const { certificate } = ordererTls(site.folder, aggregator);
  return [
    `        - ID: ${consenterId(aggregator)}`,
    `          Host: ${HOST}`,
    `          Port: ${site.ports(aggregator).orderer}`,
    `          MSPID: ${aggregator.orderer.msp}`,
    `          Identity: ${JSON.stringify(consenterCertificate(site.folder, aggregator))}`,
    `          ClientTLSCert: ${JSON.stringify(certificate)}`,
    `          ServerTLSCert: ${JSON.stringify(certificate)}`,
  ].join("\n");
}

function implicit(indent: string): string {
  return ["Readers: ANY Readers", "Writers: ANY Writers", "Admins: MAJORITY Admins"]
    .map((policy) => policy.split(": "))
    .map(([name, meta]) => `${indent}${name as string}: {Type: ImplicitMeta, Rule: "${meta as string}"}`)
    .join("\n");
}

function list(names: readonly string[]): string {
  return names.map((name) => `*${name}`).join(", ");
}

/**
 * The channel of some aggregators: who takes part, who orders, and that chaincode changes by Q of the aggregators, never by
 * CC or KGCBP.
 */
export function channelConfig(site: Site, das: readonly Aggregator[]): string {
  const members = organisations(das);
  const policy = endorsementPolicy(das);
  return [
    "Organizations:",
    ...das.map((da) => ordererOrganisation(site, da)),
    ...members.map((member) => organisation(site, member)),
    "Profiles:",
    "  Consortium:",
    "    Policies:",
    implicit("      "),
    "    Capabilities: {V3_0: true}",
    "    Orderer:",
    "      OrdererType: BFT",
    "      BatchTimeout: 2s",
    `      BatchSize: {MaxMessageCount: ${SMART_BFT.RequestBatchMaxCount}, AbsoluteMaxBytes: 8 MB, PreferredMaxBytes: 2 MB}`,
    "      SmartBFT:",
    ...Object.entries(SMART_BFT).map(([name, value]) => `        ${name}: ${value}`),
    "      ConsenterMapping:",
    ...das.map((da) => consenter(site, da)),
    `      Organizations: [${list(das.map(({ orderer }) => orderer.msp))}]`,
    "      Policies:",
    implicit("        "),
    `        BlockValidation: {Type: ImplicitMeta, Rule: "ANY Writers"}`,
    "      Capabilities: {V2_0: true}",
    "    Application:",
    `      Organizations: [${list(members.map(({ msp }) => msp))}]`,
    "      Policies:",
    implicit("        "),
    `        LifecycleEndorsement: {Type: Signature, Rule: "${policy}"}`,
    `        Endorsement: {Type: Signature, Rule: "${policy}"}`,
    "      Capabilities: {V2_5: true}",
    "",
  ].join("\n");
}

/** Makes the first block that a channel of some aggregators would have. @param config a folder for configtx.yaml. */
export async function makeBlock(
  site: Site,
  das: readonly Aggregator[],
  config: string,
  outputBlock: string,
): Promise<void> {
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, "configtx.yaml"), channelConfig(site, das));
  await must(
    "configtxgen",
    site.command("configtxgen"),
    ["-profile", "Consortium", "-channelID", CHANNEL, "-outputBlock", outputBlock],
    { env: { FABRIC_CFG_PATH: config } },
  );
}

/** Makes the channel's first block, unless it is there. */
export async function makeChannel(site: Site): Promise<void> {
  const { folder } = site;
  if (existsSync(folder.genesis)) return;
  const partial = `${folder.genesis}.partial`;
  await makeBlock(site, site.founders, folder.config, partial);
  renameSync(partial, folder.genesis);
}
