import { LedgerView, VeilgridError } from "@veilgrid/protocol";
import { CC, CHAINCODE, CHANNEL, KGCBP, type Organisation } from "./consortium.js";
import { saidBy, withGateway } from "./gateways.js";
import { peerName } from "./peers.js";
import type { Site } from "./site.js";

/**
 * The ledger's state, value by value from a peer's contract.
 * @throws VeilgridError from whatever is read: `not-set-up`, `ledger-unavailable`.
 */
export async function withView<T>(site: Site, peer: Organisation, use: (view: LedgerView) => Promise<T>): Promise<T> {
  // Who joins or leaves is no member, whom the contract would answer; CC and KGCBP always are.
  const caller = peer.name === KGCBP.name ? KGCBP : CC;
  return withGateway(site, peer, caller, (gateway) => {
    const contract = gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    const get = async (key: string): Promise<Uint8Array | undefined> => {
      const answer = await contract.evaluateTransaction("state", key).catch((error: unknown) => {
        throw unanswered(peer, error);
      });
      const text = Buffer.from(answer).toString();
      return text === "" ? undefined : Buffer.from(text, "base64");
    };
    return use(new LedgerView({ get }));
  });
}

function unanswered(peer: Organisation, cause: unknown): VeilgridError {
  const said = saidBy(cause);
  const code = said.includes('"code":"not-set-up"') ? "not-set-up" : "ledger-unavailable";
  return new VeilgridError(code, `${peerName(peer)} does not tell what the ledger says: ${said}`, {
    facts: { peer: peer.msp },
    blame: "operator",
    retry: true,
    cause,
  });
}
