import { equalBytes, Writer } from "../bytes.js";
import type { VerifiedSignatures } from "../memory.js";
import { verifyElection } from "../messages/certificates.js";
import type { Member } from "../messages/params.js";
import { stateKey } from "./keys.js";
import { termRecord } from "./records.js";
import { require } from "./refusal.js";
import type { Transition } from "./state.js";
import type { LedgerView } from "./view.js";

/**
 * Accepts a certificate of Q votes: "term above the ledger's, `params` current, the candidate none of the last f
 * leaders"; the leader of a term is whom the ledger's first certificate for it names (PROTOCOL section 4, Consensus).
 * @param cert exactly Q x (Election ‖ sig).
 * @throws VeilgridError `stale-term`, `recent-leader`, `wrong-params`, and the refusals of the certificate.
 */
export async function applyElection(
  view: LedgerView,
  cert: Uint8Array,
  memory?: VerifiedSignatures,
): Promise<Transition> {
  const params = await view.currentParams();
  const election = verifyElection(await view.consortium(), params, cert, memory);
  const { term, recent } = await view.term();
  require(election.term > term, "stale-term", "the ledger is in that term or a later one", {
    term: election.term.toString(),
    ledger: term.toString(),
  });
  const { key } = params.da[election.candidate] as Member;
  // Never for one of the last f leaders on the ledger.
  require(!recent.some((leader) => equalBytes(leader, key)), "recent-leader", "the candidate led too recently", {
    candidate: election.candidate,
  });
  const leaders = [key, ...(await view.leaders())];
  return {
    writes: [
      { key: stateKey.term, value: termRecord.encode({ term: election.term, leaders }) },
      { key: stateKey.election(election.term), value: cert },
    ],
    event: { name: "leader", payload: new Writer().u64(election.term).fixed(key, 32).bytes() },
  };
}
