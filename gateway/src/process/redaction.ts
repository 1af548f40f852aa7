import type { Facts } from "@veilgrid/protocol";

/** In the place of what must not be read. */
export const REDACTED = "[redacted]";

/** Names of facts that can only be secrets, however they are spelt. */
const SECRET_NAME = /secret|password|seed|identity|private|month_?key|wrapping_?key/i;
const BID_NAME = /bid$/i;
const PRID_NAME = /prid$/i;

/**
 * Takes out of a line's facts what no log may have: "Never print a secret, and never a BID beside a PRID". Roles do not
 * say such things; this is what stands behind them.
 */
export class Redaction {
  readonly #secrets: readonly string[];

  /** @param secrets what must not occur within any value, such as a key in hex. */
  constructor(secrets: readonly string[] = []) {
    this.#secrets = secrets.filter((secret) => secret.length > 0);
  }

  of(facts: Facts): Facts {
    const names = Object.keys(facts);
    const isBilled = names.some((name) => BID_NAME.test(name));
    const entries = Object.entries(facts).map(([name, value]) => {
      const hidden = SECRET_NAME.test(name) || (isBilled && PRID_NAME.test(name));
      return [name, hidden || this.#isSecret(value) ? REDACTED : value] as const;
    });
    return Object.fromEntries(entries);
  }

  /** A text of any origin, such as an error's stack. */
  text(text: string): string {
    return this.#secrets.reduce((clean, secret) => clean.replaceAll(secret, REDACTED), text);
  }

  #isSecret(value: string | number | boolean): boolean {
    return typeof value === "string" && this.#secrets.some((secret) => value.toLowerCase().includes(secret));
  }
}
