import { credentials, Client } from "@grpc/grpc-js";
import { connect, GatewayError, hash, signers, type Gateway } from "@hyperledger/fabric-gateway";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { CC, CHAINCODE, CHANNEL, KGCBP, type Organisation } from "./consortium.js";
import { peerHost, peerTls, userKeys } from "./identities.js";
import { gatewayPatience } from "./patience.js";
import { HOST } from "./ports.js";
import type { Site } from "./site.js";

/** Milliseconds for one attempt beyond what a gateway waits for an organisation that does not answer. */
const BEYOND = 1000;

/** Does something with an organisation's gateway, as a client of `caller`. */
export async function withGateway<T>(
  site: Site,
  organisation: Organisation,
  caller: Organisation,
  use: (gateway: Gateway) => Promise<T>,
): Promise<T> {
  const { certificate, key } = userKeys(site.folder, caller, "User1");
  const tls = credentials.createSsl(readFileSync(peerTls(site.folder, organisation).authority));
  const client = new Client(`${HOST}:${site.ports(organisation).peer}`, tls, {
    "grpc.ssl_target_name_override": peerHost(organisation),
    "grpc.max_receive_message_length": -1,
  });
  const within = gatewayPatience(site) * 1000 + BEYOND;
  const deadline = (): { deadline: number } => ({ deadline: Date.now() + within });
  const gateway = connect({
    client,
    identity: { mspId: caller.msp, credentials: readFileSync(certificate) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(key))),
    hash: hash.sha256,
    evaluateOptions: deadline,
    endorseOptions: deadline,
    submitOptions: deadline,
    commitStatusOptions: deadline,
  });
  try {
    return await use(gateway);
  } finally {
    gateway.close();
    client.close();
  }
}

/** What the peers said about a call that failed, where they did; the error itself says little. */
export function saidBy(error: unknown): string {
  if (!(error instanceof GatewayError)) return error instanceof Error ? error.message : String(error);
  return error.details.map(({ mspId, message }) => `${mspId}: ${message}`).join("; ") || error.message;
}

/** The contract was asked and said no, which it says alike everywhere. */
function isRefusal(said: string): boolean {
  return /chaincode response 5\d\d, \{/.test(said);
}

/**
 * What shows that a contract is there and changes nothing: before set-up it endorses the set-up (nothing is ordered),
 * afterwards it tells about the consortium.
 */
const PROBES: readonly ProbeCall[] = [{ name: "consortium" }, { name: "setup" }];
/** Before there is a contract: the list of definitions, which takes an empty message. */
const LIFECYCLE_PROBES: readonly ProbeCall[] = [{ name: "QueryChaincodeDefinitions", arguments: [new Uint8Array()] }];

interface ProbeCall {
  readonly name: string;
  readonly arguments?: Uint8Array[];
}

/**
 * Has Q organisations endorse something through a gateway, and orders nothing. KGCBP's peer does not endorse, so its
 * gateway is asked a query.
 * @throws Error with what the peers said, unless it worked.
 */
export async function requireEndorsement(site: Site, organisation: Organisation, deployed: boolean): Promise<void> {
  // Who joins is no member yet, whom the contract would answer; CC and KGCBP always are.
  const caller = !deployed || organisation.name === KGCBP.name ? organisation : CC;
  await withGateway(site, organisation, caller, async (gateway) => {
    const contract = gateway.getNetwork(CHANNEL).getContract(deployed ? CHAINCODE : "_lifecycle");
    let refusal = "";
    for (const { name, ...options } of deployed ? PROBES : LIFECYCLE_PROBES) {
      const proposal = contract.newProposal(name, options);
      try {
        await (organisation.name === KGCBP.name ? proposal.evaluate() : proposal.endorse());
        return;
      } catch (error) {
        refusal = saidBy(error);
        if (!isRefusal(refusal)) break;
      }
    }
    throw new Error(refusal);
  });
}
