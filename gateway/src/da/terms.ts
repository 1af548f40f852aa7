import {
  Reader,
  Writer,
  encodeCertificate,
  isVeilgridError,
  quorum,
  timeoutCodec,
  verifyTimeouts,
  type Params,
  type Signed,
  type Timeout,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { Store } from "../ports/store.js";
import type { Membership } from "./membership.js";
import { storeKey } from "./names.js";

/** What a Timeout of another DA is to this one. */
export type Heard = "noted" | "stale" | "ahead" | "invalid";

/**
 * The own term and what led there (PROTOCOL section 4): "Q of them [Timeout], kept and shown on request, put a DA into
 * t+1". Terms only go up, one at a time, and never without Q DAs that say so or the ledger that names a leader.
 */
export class Terms {
  readonly #store: Store;
  readonly #membership: Membership;
  readonly #memory: VerifiedSignatures;
  readonly #onEntered: () => Promise<void>;
  #term = 0n;
  /** Q timeouts of the term before, unless the ledger brought this DA here. */
  #certificate: Uint8Array = new Uint8Array();
  /** Timeouts of this term, by DA. */
  #heard = new Map<number, Signed<Timeout>>();

  constructor(
    options: { readonly onEntered: () => Promise<void> },
    modules: { readonly store: Store; readonly membership: Membership; readonly memory: VerifiedSignatures },
  ) {
    this.#onEntered = options.onEntered;
    this.#store = modules.store;
    this.#membership = modules.membership;
    this.#memory = modules.memory;
  }

  get term(): bigint {
    return this.#term;
  }

  /** The timeouts that put this DA into its term; empty where the ledger did, or in term 0. */
  get certificate(): Uint8Array {
    return this.#certificate;
  }

  /** Reads the term back; the ledger may be further. */
  load(ledgerTerm: bigint): void {
    const stored = this.#store.get(storeKey.term);
    if (stored !== undefined) {
      const reader = new Reader(stored, "own term");
      this.#term = reader.u64();
      this.#certificate = reader.rest();
    }
    this.#leap(ledgerTerm);
  }

  /** The ledger names a leader: its Q voters had been put into that term. True where this DA was behind. */
  async adopt(ledgerTerm: bigint): Promise<boolean> {
    if (!this.#leap(ledgerTerm)) return false;
    await this.#onEntered();
    return true;
  }

  /** This DA's own timeout for its term. */
  own(da: number): Signed<Timeout> {
    const { current } = this.#membership;
    return this.#membership.sign("timeout", timeoutCodec, { params: current.version, term: this.#term, da }, current);
  }

  /** Takes in a signed timeout, its own or another's; the Q-th one of this term puts the DA into the next. */
  async hear(timeout: Signed<Timeout>): Promise<Heard> {
    const { current } = this.#membership;
    const { params, term, da } = timeout.body;
    const member = current.da[da];
    // "Timeout and Election [name] the current one".
    if (params !== current.version || member === undefined) return "invalid";
    if (!this.#membership.verify("timeout", timeout, member.key)) return "invalid";
    if (term !== this.#term) return term < this.#term ? "stale" : "ahead";
    this.#heard.set(da, timeout);
    // After a params block those of the version before no longer count together with these.
    const together = [...this.#heard.values()].filter(({ body }) => body.params === params);
    const needed = quorum(current.da.length);
    if (together.length >= needed) await this.#enter(term + 1n, encodeCertificate(together.slice(0, needed)));
    return "noted";
  }

  /** Q timeouts that another DA shows; true where they put this one into a later term. */
  async learn(certificate: Uint8Array): Promise<boolean> {
    const term = await this.#verified(certificate);
    if (term === undefined || term < this.#term) return false;
    await this.#enter(term + 1n, certificate);
    return true;
  }

  /** The term of Q valid timeouts, of the current params or of those before: a kept certificate outlives one change. */
  async #verified(certificate: Uint8Array): Promise<bigint | undefined> {
    const { current } = this.#membership;
    const versions = current.version > 1 ? [current.version, current.version - 1] : [current.version];
    for (const version of versions) {
      const params = await this.#membership.params(version);
      const term = this.#termOf(params, certificate);
      if (term !== undefined) return term;
    }
    return undefined;
  }

  #termOf(params: Params, certificate: Uint8Array): bigint | undefined {
    try {
      return verifyTimeouts(this.#membership.id, params, certificate, this.#memory).term;
    } catch (error) {
      if (isVeilgridError(error)) return undefined;
      throw error;
    }
  }

  /** On disk before anything is said in the new term. */
  async #enter(term: bigint, certificate: Uint8Array): Promise<void> {
    this.#term = term;
    this.#certificate = certificate;
    this.#heard = new Map();
    await this.#store.write([{ key: storeKey.term, value: new Writer().u64(term).raw(certificate).bytes() }]);
    await this.#onEntered();
  }

  #leap(ledgerTerm: bigint): boolean {
    if (ledgerTerm <= this.#term) return false;
    this.#term = ledgerTerm;
    this.#certificate = new Uint8Array();
    this.#heard = new Map();
    return true;
  }
}
