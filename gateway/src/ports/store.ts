/** One change of a store; without a value the key is deleted. */
export interface Change {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** A role's own durable memory: small keys, byte values, ordered by key. */
export interface Store {
  get(key: string): Uint8Array | undefined;
  /**
   * All changes or none, after those of every earlier call; resolved only when they survive a crash of process and machine.
   */
  write(changes: readonly Change[]): Promise<void>;
  /** The entries whose keys start with `prefix`, ascending. */
  range(prefix: string): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]>;
}
