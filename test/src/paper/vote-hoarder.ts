import { electionCodec, encodeSigned, signStruct, timeoutCodec, decodeSigned } from "@veilgrid/protocol";
import { daKey } from "../consortium/chain.js";
import { secretOf } from "../consortium/members.js";
import { outcome, type Aggregators } from "./aggregators.js";

/** When a hoarder asks, milliseconds after it heard a timeout: before any honest candidate's wait is over. */
const ASKED_AFTER = [20, 60, 120];

/**
 * An aggregator that asks for votes as soon as a term begins, and keeps them: it never submits a certificate, so that the
 * ledger does not know that it ever stood.
 * @returns for each vote that it got, the term.
 */
export function hoardVotes(aggregators: Aggregators, hoarder: number): readonly bigint[] {
  const { chain, clock, all } = aggregators;
  const { consortium, params } = chain;
  const votes: bigint[] = [];
  const secret = secretOf(daKey(params, hoarder));
  const askAll = (term: bigint): void => {
    const own = { params: params.version, term, candidate: hoarder, voter: hoarder };
    const request = encodeSigned(signStruct("election", consortium, electionCodec, own, secret));
    for (const da of all.keys()) {
      if (da === hoarder) continue;
      const transport = aggregators.network.transport(`da/Da${hoarder}`);
      transport.request(`da/Da${da}`, "elect", request, (response) => {
        if (outcome({ response }) === "accepted") votes.push(term);
      });
    }
  };
  aggregators.replace(hoarder, (method, request) => {
    if (method !== "timeout") return Promise.resolve();
    const { term } = decodeSigned(timeoutCodec, request).body;
    for (const after of ASKED_AFTER) {
      clock.at(clock.now() + after, "votes are hoarded", () => {
        askAll(term + 1n);
      });
    }
    return Promise.resolve();
  });
  return votes;
}
