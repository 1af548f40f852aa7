import { VeilgridError } from "@veilgrid/protocol";
import { delimiter } from "node:path";
import { CC, KGCBP, type Aggregator, type Organisation } from "./consortium.js";
import { ordererTls, peerTls, userMsp } from "./identities.js";
import { ordererLeader } from "./metrics.js";
import { adminEnvironment } from "./peers.js";
import { HOST } from "./ports.js";
import type { Site } from "./site.js";

/** What an invocation came to is logged by `peer`, at the level info; a remark about keepalive at each call is noise. */
const SAYING = { FABRIC_LOGGING_SPEC: "info:grpc=error", FABRIC_LOGGING_FORMAT: "%{message}" } as const;

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function array(name: string, words: readonly string[]): string {
  return `${name}=(${words.map(quoted).join(" ")})`;
}

/** The organisation that commands call by a name. @throws VeilgridError `no-such-organisation`. */
function organisationOf(site: Site, name: string): Organisation {
  const known = site.members;
  const found = known.find((organisation) => organisation.name === name);
  if (found !== undefined) return found;
  const names = known.map((organisation) => organisation.name).join(", ");
  throw new VeilgridError("no-such-organisation", `there is no organisation ${name}; there are ${names}`, {
    facts: { name },
    blame: "caller",
  });
}

/** Whose peer an organisation's commands talk to: its own; CC, which has none, asks the first aggregator's. */
function peerOf(site: Site, organisation: Organisation): Organisation {
  return organisation.name === CC.name ? (site.aggregators[0] as Organisation) : organisation;
}

/** Who endorses what an organisation invokes: all aggregators, its own peer first. KGCBP's peer does not endorse. */
function endorsers(site: Site, first: Organisation): Organisation[] {
  const others = site.aggregators.filter(({ name }) => name !== first.name);
  return first.name === KGCBP.name ? others : [first, ...others];
}

/** Options by which the command `peer` reaches an orderer. */
function ordererOptions(site: Site, leader: Aggregator): string[] {
  const address = `${HOST}:${site.ports(leader).orderer}`;
  return ["-o", address, "--tls", "--cafile", ordererTls(site.folder, leader).authority];
}

function endorserOptions(site: Site, organisation: Organisation): string[] {
  const address = `${HOST}:${site.ports(organisation).peer}`;
  return ["--peerAddresses", address, "--tlsRootCertFiles", peerTls(site.folder, organisation).authority];
}

/**
 * Lines for bash after which Fabric's command `peer` acts as an organisation's administrator; `peer` is on PATH, and
 * the arrays ORDERER (the one that leads: another passes a transaction on two seconds later) and ENDORSERS are what
 * `peer chaincode invoke` has to be told.
 * @throws VeilgridError `no-such-organisation`.
 */
export async function shellEnvironment(site: Site, name: string): Promise<string> {
  const organisation = organisationOf(site, name);
  const peer = peerOf(site, organisation);
  const own = {
    CORE_PEER_LOCALMSPID: organisation.msp,
    CORE_PEER_MSPCONFIGPATH: userMsp(site.folder, organisation, "Admin"),
    ...SAYING,
  };
  const variables = Object.entries({ ...adminEnvironment(site, peer), ...own });
  return [
    `export PATH=${quoted(site.binaries.folder)}${delimiter}"$PATH"`,
    ...variables.map(([variable, value]) => `export ${variable}=${quoted(value)}`),
    array("ORDERER", ordererOptions(site, await ordererLeader(site))),
    array(
      "ENDORSERS",
      endorsers(site, peer).flatMap((each) => endorserOptions(site, each)),
    ),
    "",
  ].join("\n");
}
