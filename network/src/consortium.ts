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
  /** From 0; no other ever gets it. */
  readonly number: number;
  readonly orderer: Organisation;
}

/** The data aggregator of a number; of those of a new network, its position in version 1 of the parameter set. */
export function aggregator(number: number): Aggregator {
  const domain = `da${number}.veilgrid.example`;
  return {
    name: `da${number}`,
    number,
    msp: `DA${number}MSP`,
    domain,
    orderer: { name: `orderer${number}`, msp: `DA${number}OrdererMSP`, domain: `orderer.${domain}` },
  };
}

/** The number by which SmartBFT knows an aggregator's orderer: like the aggregator's, it is nobody else's ever. */
export function consenterId({ number }: Aggregator): number {
  return number + 1;
}

/** Whether an organisation is a data aggregator. */
export function isAggregator(organisation: Organisation): organisation is Aggregator {
  return "number" in organisation;
}

/** The control centre: clients only. */
export const CC: Organisation = { name: "cc", msp: "CCMSP", domain: "cc.veilgrid.example" };

/** Key generation centre and billing provider: it reads from a peer of its own, which does not endorse. */
export const KGCBP: Organisation = { name: "kgcbp", msp: "KGCBPMSP", domain: "kgcbp.veilgrid.example" };

/** The data aggregators of a new network. @throws VeilgridError `out-of-range`: four to ten. */
export function aggregators(size: number): Aggregator[] {
  if (!Number.isInteger(size) || size < SIZES.least || size > SIZES.most) {
    throw new VeilgridError("out-of-range", `a network has ${SIZES.least} to ${SIZES.most} data aggregators`, {
      facts: { size },
      blame: "caller",
    });
  }
  return Array.from({ length: size }, (_, index) => aggregator(index));
}

/**
 * The data aggregator of a name. Its number is its own for ever, also when others have left.
 * @throws VeilgridError `no-such-organisation`.
 */
export function aggregatorNamed(name: string): Aggregator {
  const number = /^da(0|[1-9]\d{0,2})$/.exec(name)?.[1];
  if (number !== undefined) return aggregator(Number(number));
  throw new VeilgridError("no-such-organisation", `${name} is no data aggregator: they are called da0, da1, da2, …`, {
    facts: { name },
    blame: "caller",
  });
}

/** The organisations that have a peer. */
export function peerOrganisations(das: readonly Aggregator[]): Organisation[] {
  return [...das, KGCBP];
}

/** All organisations of the channel's application. */
export function organisations(das: readonly Aggregator[]): Organisation[] {
  return [...das, CC, KGCBP];
}

/** Q of W: what endorses a transaction and what changes the chaincode, in Fabric's policy language. */
export function endorsementPolicy(das: readonly Organisation[]): string {
  const peers = das.map(({ msp }) => `'${msp}.peer'`);
  return `OutOf(${quorum(das.length)},${peers.join(",")})`;
}
