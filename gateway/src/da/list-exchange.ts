import { periodRange, type Period } from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";
import type { Address, Transport } from "../ports/transport.js";
import {
  decodeLists,
  decodeListsRequest,
  encodeAccepted,
  encodeLists,
  encodeListsWish,
  partLength,
  type ListsWish,
  type PridLists,
} from "../transport/envelopes.js";
import type { Answers } from "./answers.js";
import { coverOf, type Covering, type Epochs, type KnownEpoch } from "./epochs.js";
import type { Inbox } from "./inbox.js";
import type { Lists } from "./lists.js";
import type { Membership } from "./membership.js";
import { acceptedBody } from "./responses.js";

const RETRY_MS = 1_000;

/** A search for the lists of one epoch among the other DAs. */
interface Search {
  readonly known: KnownEpoch;
  /** When it is no longer worth while, Unix milliseconds. */
  until: number;
  /** How many peers have been asked so far. */
  asked: number;
  timer: Timer | undefined;
}

/**
 * How PRID lists get here: KGCBP sends them with the epoch, and "a DA that is new fetches lists and readings from the
 * others". Lists are taken only for epochs that KGCBP signed: committed, pending or proposed ones; S of the epoch proves them.
 */
export class ListExchange {
  readonly #onComplete: (region: number) => Promise<void>;
  readonly #modules: ListExchangeModules;
  readonly #searches = new Map<string, Search>();

  /** @param options.onComplete called when new lists of a region are here. */
  constructor(options: { readonly onComplete: (region: number) => Promise<void> }, modules: ListExchangeModules) {
    this.#onComplete = options.onComplete;
    this.#modules = modules;
  }

  /** A request about lists. @throws VeilgridError `malformed`. */
  async receive(bytes: Uint8Array): Promise<Uint8Array> {
    const request = decodeListsRequest(bytes);
    if (request.what === "wish") return encodeAccepted(encodeLists(this.#found(request.wish)));
    const kept = await this.#keep(request.lists);
    // Before its epoch is here a list proves nothing: the sender comes again after it.
    return kept ? encodeAccepted() : this.#modules.answers.make("no-epoch", { retryAfterMs: RETRY_MS });
  }

  /**
   * Looks for an epoch's lists at the other DAs, one after the other, until all are here or no longer needed.
   * @param until Unix milliseconds: from then on an epoch that is not committed never will be.
   */
  search(known: KnownEpoch, until = Infinity): void {
    const name = `${known.epoch.region}/${known.epoch.first.month}/${known.epoch.first.k}`;
    const under = this.#searches.get(name);
    if (under !== undefined) under.until = Math.max(under.until, until);
    if (under !== undefined || this.#missing(known).length === 0) return;
    const search: Search = { known, until, asked: 0, timer: undefined };
    this.#searches.set(name, search);
    this.#ask(name, search);
  }

  /** Ends the searches for epochs of a region that are no longer needed. */
  forget(region: number, needed: (known: KnownEpoch) => boolean): void {
    for (const [name, search] of this.#searches) {
      if (search.known.epoch.region === region && !needed(search.known)) this.#end(name, search);
    }
  }

  stop(): void {
    for (const [name, search] of this.#searches) this.#end(name, search);
  }

  #end(name: string, search: Search): void {
    search.timer?.cancel();
    this.#searches.delete(name);
  }

  #ask(name: string, search: Search): void {
    const { membership, transport, clock } = this.#modules;
    const { known } = search;
    const [first] = this.#missing(known);
    const peers = this.#peersOf(known);
    const peer = peers[search.asked % Math.max(peers.length, 1)];
    if (first === undefined || peer === undefined || clock.now() >= search.until) {
      this.#end(name, search);
      return;
    }
    search.asked += 1;
    search.timer?.cancel();
    search.timer = clock.at(clock.now() + membership.current.roundSeconds * 1000, "lists search", () => {
      this.#ask(name, search);
    });
    const last = known.epoch.first.k + known.epoch.periods;
    const wish = { region: known.epoch.region, first, periods: last - first.k };
    transport.request(peer, "lists", encodeListsWish(wish), async (response) => {
      const progress = await this.#heard(response);
      // Who had some has more: ask on without waiting. `asked` moves to the next peer only when the timer fires.
      if (!progress || this.#searches.get(name) !== search) return;
      search.asked -= 1;
      this.#ask(name, search);
    });
  }

  /** The periods of an epoch whose lists are missed here: of those that have their block nobody keeps one any more. */
  #missing(known: KnownEpoch): Period[] {
    const { lists, isDone } = this.#modules;
    return lists.missing(known).filter((period) => !isDone(known.epoch.region, period));
  }

  /** Who may have an epoch's lists: the DAs of its own version, who voted for it, and those of the version in force. */
  #peersOf({ params }: KnownEpoch): Address[] {
    const { membership } = this.#modules;
    const peers = [...membership.peers(params), ...membership.peers(membership.current)];
    return [...new Set(peers.map(({ address }) => address))];
  }

  async #heard(response: Uint8Array): Promise<boolean> {
    const lists = acceptedBody(response, decodeLists);
    return lists !== undefined && this.#keep(lists);
  }

  /** Whether any of the lists is one that an epoch here commits to. */
  async #keep({ region, first, lists }: PridLists): Promise<boolean> {
    const { periodSeconds } = this.#modules.membership.current;
    const fitting: { covering: Covering; period: Period; prids: readonly Uint8Array[] }[] = [];
    const periods = lists.length === 0 ? [] : [...periodRange(first, lists.length, periodSeconds)];
    for (const [i, period] of periods.entries()) {
      const prids = lists[i] as readonly Uint8Array[];
      for (const covering of await this.#coverings(region, period)) fitting.push({ covering, period, prids });
    }
    const kept = await this.#modules.lists.keep(fitting);
    if (kept > 0) await this.#onComplete(region);
    return kept > 0;
  }

  /** What proposed, pending and committed epochs say of a period that is still needed. */
  async #coverings(region: number, period: Period): Promise<Covering[]> {
    const { epochs, inbox, isDone } = this.#modules;
    const proposed = [...this.#searches.values()]
      .map(({ known }) => known)
      .filter(({ epoch }) => epoch.region === region);
    const pending = [...proposed, ...inbox.epochs(region)].flatMap((known) => coverOf(known, period) ?? []);
    if (isDone(region, period)) return pending;
    const committed = await epochs.at(region, period);
    // A committed epoch is last, so that of two that differ its list is the one that stays.
    return committed === undefined ? pending : [...pending, committed];
  }

  #found({ region, first, periods }: ListsWish): PridLists {
    const found: Uint8Array[][] = [];
    const { lists, membership } = this.#modules;
    for (const period of periodRange(first, Math.min(periods, 96), membership.current.periodSeconds)) {
      const prids = lists.bytes(region, period);
      if (prids.length === 0) break;
      found.push(prids);
    }
    return { region, first, lists: found.slice(0, partLength(found, 0)) };
  }
}

/** What ListExchange works with. */
export interface ListExchangeModules {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly membership: Membership;
  readonly answers: Answers;
  readonly epochs: Epochs;
  readonly inbox: Inbox;
  readonly lists: Lists;
  /** Whether a period's block is committed, so that nobody needs its list any more. */
  readonly isDone: (region: number, period: Period) => boolean;
}
