/** One BIP-340 signature to be checked. */
export interface SignatureCheck {
  /** 32 bytes. */
  readonly message: Uint8Array;
  /** x-only, 32 bytes. */
  readonly key: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Checks signatures somewhere else than where it is called. */
export interface Verifier {
  /**
   * The verdicts, in the order of the checks; false for anything malformed.
   * @throws VeilgridError `verification-busy` (retry) where too many checks wait already.
   */
  verify(checks: readonly SignatureCheck[]): Promise<readonly boolean[]>;
}
