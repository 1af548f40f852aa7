import { ELECTION_BYTES, concat, electionCodec, elements, maxFaulty, type Election } from "@veilgrid/protocol";
import type { Store } from "../ports/store.js";
import type { Membership } from "./membership.js";
import { storeKey } from "./names.js";

/**
 * This DA's votes for leaders: "where alone it may ask for votes or vote: once, on disk before the answer" (PROTOCOL
 * section 4, Leader election).
 */
export class LeaderVotes {
  readonly #store: Store;
  readonly #membership: Membership;
  /** Those of the last term with one and of as many before as may still matter, the newest first. */
  #cast: readonly Election[] | undefined;
  /** Resolves when all of them are on the disk. */
  #written: Promise<void> = Promise.resolve();

  constructor(modules: { readonly store: Store; readonly membership: Membership }) {
    this.#store = modules.store;
    this.#membership = modules.membership;
  }

  get #faulty(): number {
    return maxFaulty(this.#membership.current.da.length);
  }

  get #votes(): readonly Election[] {
    this.#cast ??= elements(this.#store.get(storeKey.ballot) ?? new Uint8Array(), ELECTION_BYTES).map((vote) =>
      electionCodec.decode(vote),
    );
    return this.#cast;
  }

  /**
   * The vote that binds this DA in a term: one of the version in force. Those of a version before are no certificate any
   * more ("`params` current"), and their indices may be other DAs'.
   */
  binding(term: bigint): Election | undefined {
    const { version } = this.#membership.current;
    return this.#votes.find((vote) => vote.params === version && vote.term >= term);
  }

  /**
   * Whether a candidate had this DA's vote in one of the f terms before. The ledger does not know who took a quorum's
   * votes and never submitted them: without this rule a DA that asks first in every term, and keeps what it gets, would
   * end all elections. With it f such DAs spoil at most f of f+1 terms, as leaders do that stall.
   */
  hadVote(term: bigint, candidate: number): boolean {
    const { version } = this.#membership.current;
    const earliest = term - BigInt(this.#faulty);
    return this.#votes.some(
      (vote) => vote.params === version && vote.candidate === candidate && vote.term < term && vote.term >= earliest,
    );
  }

  /** Whether this vote may be signed; if so it is on disk when this resolves. The same vote again may. */
  async cast(vote: Election): Promise<boolean> {
    const last = this.binding(vote.term);
    if (last !== undefined && last.candidate !== vote.candidate) return false;
    if (last?.term !== vote.term) {
      // In memory first: nobody who asks while the disk is written may have this DA's vote instead.
      const kept = [vote, ...this.#votes].slice(0, 1 + this.#faulty);
      this.#cast = kept;
      const value = concat(...kept.map((one) => electionCodec.encode(one)));
      this.#written = this.#store.write([{ key: storeKey.ballot, value }]);
    }
    await this.#written;
    return true;
  }
}
