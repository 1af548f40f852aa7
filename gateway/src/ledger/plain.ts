/**
 * A Buffer as the plain array of bytes that the ports and decoders speak of: a Buffer's `slice` shares its memory,
 * where an array's copies.
 */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
