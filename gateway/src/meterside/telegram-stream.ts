/** The longest telegram has a text message of 1,024 characters in hex and a log of power failures: some 4 KB. */
const MAX_TELEGRAM = 16_384;
const END = /!([0-9A-Fa-f]{4})?\r\n/;

/** Cuts telegrams out of a stream of bytes, wherever it was joined. */
export class TelegramStream {
  #text = "";

  /**
   * Takes bytes in.
   * @returns the telegrams that they complete, from "/" to the last CR LF; what comes before a first "/" is the rest of
   * a telegram that began earlier, and is passed over.
   */
  push(bytes: Uint8Array): string[] {
    // One character a byte: a checksum is over bytes, and whatever is not ASCII fails it.
    this.#text += Buffer.from(bytes).toString("latin1");
    const found: string[] = [];
    for (;;) {
      const begin = this.#text.indexOf("/");
      this.#text = begin < 0 ? "" : this.#text.slice(begin);
      const end = END.exec(this.#text);
      if (end === null) break;
      const length = end.index + end[0].length;
      found.push(this.#newest(this.#text.slice(0, length)));
      this.#text = this.#text.slice(length);
    }
    if (this.#text.length > MAX_TELEGRAM) {
      found.push(this.#text.slice(0, MAX_TELEGRAM));
      this.#text = "";
    }
    return found;
  }

  /** A telegram that was cut off has the next one's first line in it. */
  #newest(text: string): string {
    const last = text.lastIndexOf("\n/");
    return last < 0 ? text : text.slice(last + 1);
  }
}
