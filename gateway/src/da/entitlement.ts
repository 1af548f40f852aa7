import { daAddress, type LedgerView } from "@veilgrid/protocol";
import type { Address, Method } from "../ports/transport.js";
import type { Membership } from "./membership.js";

type Standing = "anyone" | "da" | "issuer" | "lists" | "nobody";

/** Whose each method is (PROTOCOL section 4): meters ask three of them, CC and KGCBP one, KGCBP and DAs for lists. */
const METHOD_OF: Readonly<Record<Method, Standing>> = {
  reading: "anyone",
  time: "anyone",
  params: "anyone",
  forward: "da",
  propose: "da",
  bodies: "da",
  timeout: "da",
  timeouts: "da",
  elect: "da",
  transaction: "issuer",
  lists: "lists",
  delivery: "nobody",
};

/**
 * Who may ask this aggregator what. Signatures prove what is said; this keeps everybody out of what is not theirs to
 * hear, or to make this DA work for.
 */
export class Entitlement {
  readonly #membership: Membership;
  readonly #view: LedgerView;
  /** The DAs of the versions up to `#read`. */
  readonly #known = new Set<Address>();
  #read = 0;

  constructor(modules: { readonly membership: Membership; readonly view: LedgerView }) {
    this.#membership = modules.membership;
    this.#view = modules.view;
  }

  /** @param from who asks, as the transport has authenticated it; undefined for a meter. */
  async allows(method: Method, from: Address | undefined): Promise<boolean> {
    const whose = METHOD_OF[method];
    if (whose === "anyone") return true;
    if (from === undefined || whose === "nobody") return false;
    if (whose === "issuer") return from === "kgcbp" || from === "cc";
    return (whose === "lists" && from === "kgcbp") || this.#isAggregator(from);
  }

  /** "a removed DA serves until those blocks are in", so one of any version may ask; its operators name no other. */
  async #isAggregator(from: Address): Promise<boolean> {
    const { version } = this.#membership.current;
    for (let next = this.#read + 1; next <= version; next += 1) {
      const { da } = await this.#view.params(next);
      for (const member of da) this.#known.add(daAddress(member));
      this.#read = Math.max(this.#read, next);
    }
    return this.#known.has(from);
  }
}
