/** The part of `dsmr-parser` that is used: it has no types of its own. */
declare module "dsmr-parser" {
  /** A telegram whose form and checksum are good. */
  export interface ParsedTelegram {
    /** What stands after "/XXX5" in the first line. */
    readonly identifier: string;
    readonly crc: string;
    readonly objects: Readonly<Record<string, unknown>>;
  }

  const parser: {
    /** @throws Error with the message INVALID_TELEGRAM or CHECKSUM_MISMATCH. */
    parse(telegram: string): ParsedTelegram;
  };
  export default parser;
}
