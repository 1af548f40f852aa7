import { H1, Writer, schnorr } from "@veilgrid/protocol";

/** The paper's answer to a vote request: (g^x, BlockVerStatus, rnd*, ts**, signature of the last three). */
export interface PaperVote {
  readonly key: Uint8Array;
  readonly rnd: bigint;
  readonly ts: bigint;
  readonly sig: Uint8Array;
}

/** The paper's H_1(BlockVerStatus, rnd*, ts**), for the one status that counts. */
function signed(rnd: bigint, ts: bigint): Uint8Array {
  return H1("paper/valid", new Writer().u64(rnd).u64(ts).bytes());
}

/** "If steps A, B, D, E are done successfully, DA_k sends block verification status message" (section 5, Consensus). */
export function paperVote(secret: Uint8Array, rnd: bigint, ts: bigint): PaperVote {
  return { key: schnorr.publicKey(secret), rnd, ts, sig: schnorr.sign(signed(rnd, ts), secret) };
}

/**
 * What the paper's leader, and anybody after it, can check of the votes for a block: that rnd is the request's, the
 * signatures, and that there are more than 2f + 1 of them. The block itself is in none of it.
 */
export function paperAdds(rnd: bigint, votes: readonly PaperVote[], faulty: number): boolean {
  const valid = votes.filter(
    (vote) => vote.rnd === rnd && schnorr.verify(vote.sig, signed(vote.rnd, vote.ts), vote.key),
  );
  return new Set(valid.map(({ key }) => key.join())).size > 2 * faulty + 1;
}
