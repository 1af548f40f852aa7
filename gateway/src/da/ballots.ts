import { equalBytes, voteCodec, type Vote } from "@veilgrid/protocol";
import type { Store } from "../ports/store.js";
import { storeKey } from "./names.js";

function isLater(a: Vote, b: Vote): boolean {
  if (a.number !== b.number) return a.number > b.number;
  return a.term === b.term ? a.round > b.round : a.term > b.term;
}

function samePlace(a: Vote, b: Vote): boolean {
  return a.number === b.number && a.term === b.term && a.round === b.round;
}

/** A vote, and when it is on disk. */
interface Cast {
  readonly vote: Vote;
  readonly written: Promise<void>;
}

/** The place of a proposal on a chain, as its header says it, and its block's hash. */
export interface Proposed {
  readonly header: Pick<Vote, "params" | "region" | "number" | "term" | "round">;
  readonly cbh: Uint8Array;
}

/**
 * "A DA signs at most one vote per (chain, number, term, round), on disk before it is sent." Numbers, terms and rounds
 * only go up, so the last vote of a chain is all that must be kept. A leader proposes one block a round in the same way.
 */
export class Ballots {
  readonly #store: Store;
  readonly #last = new Map<number, Cast>();

  constructor(modules: { readonly store: Store }) {
    this.#store = modules.store;
  }

  /** The last vote on a chain, or proposal of one's own. */
  last(chain: number): Vote | undefined {
    const known = this.#last.get(chain);
    if (known !== undefined) return known.vote;
    const stored = this.#store.get(storeKey.vote(chain));
    return stored === undefined ? undefined : voteCodec.decode(stored);
  }

  /**
   * Whether this proposal may be sent; if so its place is on disk when this resolves. Mostly it is already there, with the
   * leader's vote; but a leader may ask for what it does not vote for itself.
   */
  propose({ header: { params, region, number, term, round }, cbh }: Proposed): Promise<boolean> {
    // Nobody is told of this vote: as which member it would be signed is of no account.
    return this.cast({ params, region, number, term, round, cbh, da: 0 });
  }

  /** Whether this vote may be signed; if so it is on disk when this resolves. The same vote again may. */
  async cast(vote: Vote): Promise<boolean> {
    const { region } = vote;
    const last = this.last(region);
    if (last !== undefined && !isLater(vote, last)) {
      // The same proposal may come twice: the vote may still be on its way to the disk.
      await this.#last.get(region)?.written;
      return samePlace(vote, last) && equalBytes(vote.cbh, last.cbh);
    }
    // In memory first: nothing that comes while the disk is written may be voted for instead.
    const written = this.#store.write([{ key: storeKey.vote(region), value: voteCodec.encode(vote) }]);
    this.#last.set(region, { vote, written });
    await written;
    return true;
  }
}
