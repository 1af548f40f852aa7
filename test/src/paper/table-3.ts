/** A follower's draw of its timeout, milliseconds; a malicious one draws what it likes. */
export type Timeout = (da: number, election: number) => number;

/** Lines 20 to 25 of table 3: more than W/2 + 1 votes make a leader. */
function isElected(votes: number, size: number): boolean {
  return votes > size / 2 + 1;
}

/**
 * Elections by the paper's table 3: whose timer runs out first becomes the candidate and asks everybody. A DA votes for
 * every request whose signature is valid and whose time is not ahead of its own (line 12): it neither counts terms nor
 * remembers whom it has voted for.
 * @param delayMs how long a request is under way; who stands before it hears of another candidate stands, too.
 * @returns the leaders of each election.
 */
export function tableThree(size: number, elections: number, timeout: Timeout, delayMs: number): number[][] {
  return Array.from({ length: elections }, (_, election) => {
    const stands = Array.from({ length: size }, (__, da) => ({ da, at: timeout(da, election) }));
    const first = Math.min(...stands.map(({ at }) => at));
    const candidates = stands.filter(({ at }) => at - first < delayMs);
    // Everybody's vote, and its own.
    return candidates.filter(() => isElected(size, size)).map(({ da }) => da);
  });
}
