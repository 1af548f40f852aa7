import {
  decodeSigned,
  electionCodec,
  encodeCertificate,
  encodeSigned,
  equalBytes,
  isVeilgridError,
  sha256,
  type Election as ElectionVote,
  type Signed,
} from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";
import type { LedgerClient } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { Transport } from "../ports/transport.js";
import type { Membership, Peer } from "./membership.js";
import { hexOf } from "./names.js";
import { acceptedBody } from "./responses.js";

/** One candidature: it "votes for itself and repeats its request until the timer ends" (PROTOCOL section 4). */
export class Campaign {
  /** The own vote is the request. */
  readonly #own: Signed<ElectionVote>;
  readonly #modules: CampaignModules;
  readonly #votes = new Map<number, Signed<ElectionVote>>();
  #timer: Timer | undefined;
  #isOver = false;
  /** Whether the certificate is on the ledger, or on its way there. */
  #submitted = false;

  /** @param own this DA's vote for itself, on disk already. */
  constructor(own: Signed<ElectionVote>, modules: CampaignModules) {
    this.#own = own;
    this.#modules = modules;
    this.#votes.set(own.body.voter, own);
  }

  /** Asks everybody who has not voted yet, and again after each `roundSeconds`. */
  async ask(): Promise<void> {
    if (this.#isOver) return;
    const { membership, transport, clock } = this.#modules;
    const { current } = membership;
    this.#timer = clock.at(clock.now() + current.roundSeconds * 1000, "ask for votes", () => this.ask());
    const request = encodeSigned(this.#own);
    for (const peer of membership.peers(current)) {
      if (this.#votes.has(peer.index)) continue;
      transport.request(peer.address, "elect", request, (response) => this.#hear(peer, response));
    }
    await this.#submit();
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  async #hear({ index, key }: Peer, response: Uint8Array): Promise<void> {
    if (this.#isOver) return;
    const vote = acceptedBody(response, (body) => decodeSigned(electionCodec, body));
    const due = electionCodec.encode({ ...this.#own.body, voter: index });
    if (vote === undefined || !equalBytes(vote.bytes, due)) return;
    if (!this.#modules.membership.verify("election", vote, key)) return;
    this.#votes.set(index, vote);
    await this.#submit();
  }

  /** "Q votes (`Election`) are a certificate, which enters the ledger by a transaction of its own" */
  async #submit(): Promise<void> {
    const { membership, ledger, log } = this.#modules;
    const needed = membership.quorumOf(membership.current);
    if (this.#submitted || this.#votes.size < needed) return;
    const cert = encodeCertificate([...this.#votes.values()].slice(0, needed));
    this.#submitted = true;
    try {
      await ledger.submit({ name: "submitElection", args: [hexOf(sha256(cert))], transient: { cert } });
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      log("warn", "election-not-taken", { code: error.code, contract: error.facts.contract ?? "" });
      this.#submitted = false;
    }
  }
}

/** What Campaign works with. */
export interface CampaignModules {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly ledger: LedgerClient;
  readonly log: Log;
  readonly membership: Membership;
}
