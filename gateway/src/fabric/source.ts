/** A serialized `common.Block`, as a peer gave it. */
export type RawBlock = Uint8Array;

/** Where blocks come from: a peer, or a test's list of them. */
export interface BlockSource {
  /**
   * The blocks from number `from` on, each as soon as it is committed, without end; ends only after `signal` is aborted.
   * Throws when the peer fails. A peer that has not got that far yet waits until it has.
   */
  blocks(from: bigint, signal: AbortSignal): AsyncIterable<RawBlock>;
}

/** The peer of one organisation. */
export interface NamedSource extends BlockSource {
  /** The organisation's MSP. */
  readonly name: string;
}
