/**
 * One canonical encoding for a message (PROTOCOL section 7): `decode(encode(v))` gives `v` back, and
 * `decode` refuses every input that `encode` would not have made.
 */
export interface Codec<T> {
  /** @throws VeilgridError `out-of-range` where a field does not fit its bounds. */
  encode(value: T): Uint8Array;
  /** @throws VeilgridError `malformed` for anything but the one canonical encoding. */
  decode(bytes: Uint8Array): T;
}
