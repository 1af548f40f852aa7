import { toHex } from "@veilgrid/protocol";

/** Values that are looked for in other bytes: as they are, in hex and in base64. */
export class Needles {
  readonly #forms: readonly Buffer[];

  /** @param values of the same length, 16 bytes or more. */
  constructor(values: readonly Uint8Array[]) {
    this.#forms = values.flatMap((value) => [
      Buffer.from(value),
      Buffer.from(toHex(value)),
      Buffer.from(toHex(value).toUpperCase()),
      // Without its last characters, which depend on what follows.
      Buffer.from(Buffer.from(value).toString("base64").slice(0, 20)),
      Buffer.from(Buffer.from(value).toString("base64url").slice(0, 20)),
    ]);
  }

  /** How many different ones are in the bytes; a value in two forms counts twice. */
  in(bytes: Uint8Array): number {
    const hay = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#forms.filter((form) => hay.includes(form)).length;
  }
}
