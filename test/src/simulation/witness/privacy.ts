import type { Message } from "../network.js";
import type { Accuse } from "./violation.js";

function includes(hay: Uint8Array, needles: readonly Buffer[]): boolean {
  const buffer = Buffer.from(hay.buffer, hay.byteOffset, hay.length);
  return needles.some((needle) => buffer.includes(needle));
}

type Sought = "bids" | "prids" | "secrets";

/** What nobody may say: a customer's BID beside a PRID, and a secret at all. */
export class Privacy {
  readonly #accuse: Accuse;
  readonly #known: Readonly<Record<Sought, readonly Buffer[]>>;

  /** @param known what is looked for: BIDs, PRIDs, and month keys and signing keys. */
  constructor(accuse: Accuse, known: Readonly<Record<Sought, readonly Uint8Array[]>>) {
    this.#accuse = accuse;
    const buffers = (values: readonly Uint8Array[]): Buffer[] => values.map((value) => Buffer.from(value));
    this.#known = { bids: buffers(known.bids), prids: buffers(known.prids), secrets: buffers(known.secrets) };
  }

  /** Anybody's message. */
  hear({ from, to, method, direction, bytes }: Message): void {
    const { bids, prids, secrets } = this.#known;
    const what = `${method} ${direction} ${from} > ${to}`;
    if (includes(bytes, bids) && includes(bytes, prids)) this.#accuse("bid-beside-prid", what);
    if (includes(bytes, secrets)) this.#accuse("secret-on-the-wire", what);
  }

  /** A line of a log. */
  read(line: string): void {
    const { bids, prids, secrets } = this.#known;
    const has = (needles: readonly Buffer[]): boolean =>
      needles.some((needle) => line.includes(needle.toString("hex")));
    if (has(secrets)) this.#accuse("secret-in-a-log", line);
    if (has(bids) && has(prids)) this.#accuse("bid-beside-prid", line);
  }
}
