/** The kinds of block; 0 is genesis (PROTOCOL section 7). */
export const KIND = {
  params: 1,
  epoch: 2,
  readings: 3,
  masks: 4,
  prices: 5,
  bills: 6,
  verdicts: 7,
  close: 8,
} as const;

/** A kind that a block can have. */
export type Kind = (typeof KIND)[keyof typeof KIND];

/** "region chain j carries `epoch` and `readings` blocks; chain 0 carries" the other kinds. */
export function isRegionKind(kind: number): boolean {
  return kind === KIND.epoch || kind === KIND.readings;
}
