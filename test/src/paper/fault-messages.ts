/** An aggregator of the paper's consensus: whether it says what it sees. */
export interface PaperAggregator {
  readonly malicious: boolean;
}

/** What came of one block from which readings are missing. */
export interface PaperRound {
  /** Whether the block has the votes that it takes. */
  readonly added: boolean;
  /** Whether KGCBP looks for the faulty meter. */
  readonly found: boolean;
}

/**
 * One round of the paper's consensus on a block from which readings are missing (section 5, Consensus, steps A to E, and
 * Finding faulty meters d): everybody whom the leader asks votes, because step C is none of those that a vote needs; the
 * honest ones send a fault message. The block takes more than 2f + 1 votes, a case more than 2f + 1 messages.
 */
export function paperRound(asked: readonly PaperAggregator[], faulty: number): PaperRound {
  const messages = asked.filter(({ malicious }) => !malicious).length;
  const enough = (count: number): boolean => count > 2 * faulty + 1;
  return { added: enough(asked.length), found: enough(messages) };
}
