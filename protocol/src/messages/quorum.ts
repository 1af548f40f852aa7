/** f = floor((W-1)/3): how many of W data aggregators may be malicious (PROTOCOL section 1). */
export function maxFaulty(members: number): number {
  return Math.floor((members - 1) / 3);
}

/** Q = ceil((W+f+1)/2): the only quorum. W = 4: 3, W = 5: 4, W = 7: 5. */
export function quorum(members: number): number {
  return Math.ceil((members + maxFaulty(members) + 1) / 2);
}
