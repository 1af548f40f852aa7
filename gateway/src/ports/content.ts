/** An address that is computed from the content alone. */
export interface ContentAddress {
  /** The CIDv1 as bytes: 36 of them where the hash is SHA-256. This is what the ledger keeps. */
  readonly cid: Uint8Array;
  /** The same as people write it, in base32: "bafkrei…". */
  readonly text: string;
}

/** Bytes by content address (PROTOCOL section 2): an IPFS block store on disk, or a daemon. */
export interface ContentStore {
  /** Stores the bytes; resolved only when they survive a crash of process and machine. The same bytes again change nothing. */
  put(bytes: Uint8Array): Promise<ContentAddress>;
  /**
   * The bytes behind an address, compared with its hash.
   * @throws VeilgridError `content-missing` (retry), `content-corrupt`, `bad-cid`.
   */
  get(cid: Uint8Array): Promise<Uint8Array>;
}
