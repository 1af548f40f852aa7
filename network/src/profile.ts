import { relative } from "node:path";
import {
  aggregatorNamed,
  CHAINCODE,
  CHANNEL,
  isAggregator,
  organisations,
  peerOrganisations,
  type Aggregator,
  type Organisation,
} from "./consortium.js";
import { writeWhole } from "./folder.js";
import { peerHost, peerTls, userKeys } from "./identities.js";
import { gatewayPatience } from "./patience.js";
import { HOST } from "./ports.js";
import { committedDeployment, readRecord } from "./record.js";
import type { Site } from "./site.js";

/** An organisation's client. Paths are relative to the profile's folder. */
export interface ProfileClient {
  readonly msp: string;
  readonly certificate: string;
  readonly key: string;
}

/** A peer whose gateway clients may use. */
export interface ProfileGateway {
  readonly msp: string;
  /** "127.0.0.1:17053" */
  readonly address: string;
  /** The name in the peer's certificate that TLS holds it to. */
  readonly host: string;
  /** The certificate of its TLS authority. */
  readonly tlsRoot: string;
  /** Whether its organisation endorses; one that does not answers queries. */
  readonly endorses: boolean;
}

/** How clients reach the network. */
export interface Profile {
  readonly channel: string;
  readonly chaincode: string;
  readonly clients: readonly ProfileClient[];
  readonly gateways: readonly ProfileGateway[];
  /** How long a gateway waits for one organisation's endorsement: a client has to wait longer. */
  readonly endorsementSeconds: number;
}

/** The aggregators that endorse; before there is a chaincode, those that will. */
function endorsing(site: Site): readonly Aggregator[] {
  const deployment = committedDeployment(readRecord(site.folder));
  return deployment?.endorsers.map(aggregatorNamed) ?? site.aggregators;
}

/**
 * The connection profile of a network. Who joins is in it as soon as its endorsement counts, who leaves as long as it does.
 */
export function profileOf(site: Site): Profile {
  const path = (file: string): string => relative(site.folder.root, file);
  const das = endorsing(site);
  const client = (organisation: Organisation): ProfileClient => {
    const { certificate, key } = userKeys(site.folder, organisation, "User1");
    return { msp: organisation.msp, certificate: path(certificate), key: path(key) };
  };
  const gateway = (organisation: Organisation): ProfileGateway => ({
    msp: organisation.msp,
    address: `${HOST}:${site.ports(organisation).peer}`,
    host: peerHost(organisation),
    tlsRoot: path(peerTls(site.folder, organisation).authority),
    endorses: isAggregator(organisation),
  });
  return {
    channel: CHANNEL,
    chaincode: CHAINCODE,
    clients: organisations(das).map(client),
    gateways: peerOrganisations(das).map(gateway),
    endorsementSeconds: gatewayPatience(site),
  };
}

/** Writes the connection profile into the state folder. */
export function writeProfile(site: Site): void {
  writeWhole(site.folder.profile, `${JSON.stringify(profileOf(site), undefined, 2)}\n`);
}
