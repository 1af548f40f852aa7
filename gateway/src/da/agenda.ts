import { KIND, type LedgerView, type Period } from "@veilgrid/protocol";
import type { Freeze } from "./freeze.js";
import type { Inbox } from "./inbox.js";
import type { Lists } from "./lists.js";

/** A block that is due. */
export type Item =
  | { readonly kind: typeof KIND.readings; readonly region: number; readonly period: Period }
  | { readonly kind: typeof KIND.epoch; readonly region: number; readonly leaf: Uint8Array }
  | { readonly kind: "issued"; readonly region: 0; readonly of: number; readonly leaves: () => readonly Uint8Array[] };

/**
 * What is due on each chain by this DA's knowledge: "a frozen period, a pending valid transaction". It drives both the
 * leader, who forms the block, and everybody's progress timer.
 */
export class Agenda {
  readonly #view: LedgerView;
  readonly #freeze: Freeze;
  readonly #inbox: Inbox;
  readonly #lists: Lists;
  readonly #due = new Map<number, Item>();

  constructor(modules: {
    readonly view: LedgerView;
    readonly freeze: Freeze;
    readonly inbox: Inbox;
    readonly lists: Lists;
  }) {
    this.#view = modules.view;
    this.#freeze = modules.freeze;
    this.#inbox = modules.inbox;
    this.#lists = modules.lists;
  }

  /** All chains that there may be something for. */
  async chains(): Promise<number[]> {
    return [...new Set([0, ...(await this.#view.regions()), ...this.#inbox.regions, ...this.#due.keys()])];
  }

  /** Looks again at what is due on a chain. */
  async review(chain: number): Promise<Item | undefined> {
    const item = chain === 0 ? this.#issued() : (this.#epoch(chain) ?? (await this.#readings(chain)));
    if (item === undefined) this.#due.delete(chain);
    else this.#due.set(chain, item);
    return item;
  }

  /** What was due on a chain at the last look. */
  dueOn(chain: number): Item | undefined {
    return this.#due.get(chain);
  }

  /** Whether anything is due anywhere. */
  get isBusy(): boolean {
    return this.#due.size > 0;
  }

  #issued(): Item | undefined {
    const next = this.#inbox.next();
    return next && { kind: "issued", region: 0, of: next.kind, leaves: next.leaves };
  }

  /** The earliest pending epoch, once its lists are here: "A DA votes for an epoch only if it holds lists for every S". */
  #epoch(region: number): Item | undefined {
    const [pending] = this.#inbox.epochs(region);
    if (pending === undefined || this.#lists.missing(pending).length > 0) return undefined;
    return { kind: KIND.epoch, region, leaf: pending.leaf };
  }

  /** "Every region-period with an epoch gets exactly one readings block, in the order of k". */
  async #readings(region: number): Promise<Item | undefined> {
    const period = await this.#view.nextReadings(region);
    if (period === undefined || !this.#freeze.isKept(region, period)) return undefined;
    return { kind: KIND.readings, region, period };
  }
}
