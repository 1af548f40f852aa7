import type { LedgerView, Params } from "@veilgrid/protocol";
import type { Epochs } from "./epochs.js";
import type { Inbox } from "./inbox.js";
import type { Membership } from "./membership.js";

/**
 * When a DA that was removed has nothing more to do: "acks, votes and rules of its periods stay under that version to the
 * end (a removed DA serves until those blocks are in)" (PROTOCOL section 4, Setup).
 */
export class Retirement {
  readonly #view: LedgerView;
  readonly #membership: Membership;
  readonly #epochs: Epochs;
  readonly #inbox: Inbox;

  constructor(modules: {
    readonly view: LedgerView;
    readonly membership: Membership;
    readonly epochs: Epochs;
    readonly inbox: Inbox;
  }) {
    this.#view = modules.view;
    this.#membership = modules.membership;
    this.#epochs = modules.epochs;
    this.#inbox = modules.inbox;
  }

  /** Whether this DA was a member once, and no version that names it rules anything that is still to be committed. */
  async isDue(): Promise<boolean> {
    const { current } = this.#membership;
    if (this.#names(current) || !(await this.#wasMember(current.version))) return false;
    for (const region of this.#inbox.regions) {
      if (this.#inbox.epochs(region).some(({ params }) => this.#names(params))) return false;
    }
    for (const region of await this.#view.regions()) if (await this.#isNeeded(region)) return false;
    return true;
  }

  #names(params: Params): boolean {
    return this.#membership.indexIn(params) !== undefined;
  }

  /** Who is no member yet is not retired: its version is still to come. */
  async #wasMember(version: number): Promise<boolean> {
    for (let before = version - 1; before >= 1; before -= 1) {
      if (this.#names(await this.#membership.params(before))) return true;
    }
    return false;
  }

  /** Whether a period of the region that has no block yet is ruled by a version that names this DA. */
  async #isNeeded(region: number): Promise<boolean> {
    let period = await this.#view.nextReadings(region);
    while (period !== undefined) {
      const known = await this.#epochs.at(region, period);
      if (known === undefined) return false;
      if (this.#names(known.params)) return true;
      period = await this.#epochs.nextCovered(region, known.periods.at(-1));
    }
    return false;
  }
}
