import { quorum, VeilgridError } from "@veilgrid/protocol";

/** The channel, and the chaincode's name on it. */
export const CHANNEL = "veilgrid";
export const CHAINCODE = "veilgrid";

/** How many data aggregators a network of one machine may have. */
export const SIZES = { least: 4, most: 10 } as const;

/** An organisation of the channel. */
export interface Organisation {
  /** How folders, processes and commands call it. */
  readonly name: string;
  readonly msp: string;
  /** Certificates are issued for it; nothing resolves it. */
  readonly domain: string;
}

/** A data aggregator: it endorses with its peer and orders with its orderer, which has an MSP of its own. */
export interface Aggregator extends Organisation {
  readonly orderer: Organisation;
}

/** The data aggregator of an index, its position in the parameter set. */
export function aggregator(index: number): Aggregator {
  const domain = `da${index}.veilgrid.example`;
  return {
    name: `da${index}`,
    msp: `DA${index}MSP`,
    domain,
    orderer: { name: `orderer${index}`, msp: `DA${index}OrdererMSP`, domain: `orderer.${domain}` },
  };
}

/** The control centre: clients only. */
export const CC: Organisation = { name: "cc", msp: "CCMSP", domain: "cc.veilgrid.example" };

/** Key generation centre and billing provider: it reads from a peer of its own, which does not endorse. */
export const KGCBP: Organisation = { name: "kgcbp", msp: "KGCBPMSP", domain: "kgcbp.veilgrid.example" };

/** The data aggregators of a network. @throws VeilgridError `out-of-range`: four to ten. */
export function aggregators(size: number): Aggregator[] {
  if (!Number.isInteger(size) || size < SIZES.least || size > SIZES.most) {
    throw new VeilgridError("out-of-range", `a network has ${SIZES.least} to ${SIZES.most} data aggregators`, {
      facts: { size },
      blame: "caller",
    });
  }
  return Array.from({ length: size }, (_, index) => aggregator(index));
}

/** The organisations that have a peer, in the order of their ports. */
export function peerOrganisations(size: number): Organisation[] {
  return [...aggregators(size), KGCBP];
}

/** All organisations of the channel's application. */
export function organisations(size: number): Organisation[] {
  return [...aggregators(size), CC, KGCBP];
}

/** Q of W: what endorses a transaction and what changes the chaincode, in Fabric's policy language. */
export function endorsementPolicy(size: number): string {
  const peers = aggregators(size).map(({ msp }) => `'${msp}.peer'`);
  return `OutOf(${quorum(size)},${peers.join(",")})`;
}
