import {
  ANSWER,
  daAddress,
  decodeSigned,
  electionCodec,
  encodeSigned,
  equalBytes,
  timeoutCodec,
  type Election as ElectionVote,
  type LedgerView,
  type Signed,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { Timer } from "../ports/clock.js";
import type { Random } from "../ports/random.js";
import type { Store } from "../ports/store.js";
import type { Address, Reply } from "../ports/transport.js";
import { encodeAccepted } from "../transport/envelopes.js";
import type { Answers } from "./answers.js";
import { Campaign, type CampaignModules } from "./campaign.js";
import { LeaderVotes } from "./leader-votes.js";
import { ProgressTimer } from "./progress.js";
import { acceptedBody, answerIn } from "./responses.js";
import { Terms } from "./terms.js";

/**
 * A candidate waits at most this part of the progress timer (twice that if it has just stood in vain), so that most of it
 * is left for the leader's work.
 */
const WAIT_PART = 4;

/**
 * What a DA is in its term.
 *
 * | from | when | to |
 * | --- | --- | --- |
 * | follower | something is due in a term without a leader, its random wait is over (after the others' where it stood in vain in one of the f terms before), it has not voted, and it is none of the last f leaders | candidate |
 * | candidate | its own name is the ledger's first for the term | leader |
 * | candidate | another's name is; Q timeouts put it into the next term; its progress timer runs out | follower |
 * | leader | the ledger names another; Q timeouts put it into the next term | follower |
 * | any | it starts, and the ledger names it for its term | leader |
 */
export type Role = "follower" | "candidate" | "leader";

/** Leader election (PROTOCOL section 4, table 3 of the paper). */
export class Election {
  readonly #modules: ElectionModules;
  readonly #options: ElectionOptions;
  readonly #terms: Terms;
  readonly #votes: LeaderVotes;
  readonly #progress: ProgressTimer;
  #role: Role = "follower";
  #waiting: Timer | undefined;
  #campaign: Campaign | undefined;
  #repeating: Timer | undefined;

  constructor(options: ElectionOptions, modules: ElectionModules) {
    this.#modules = modules;
    this.#options = options;
    this.#terms = new Terms({ onEntered: () => this.#entered() }, modules);
    this.#votes = new LeaderVotes(modules);
    this.#progress = new ProgressTimer({ ...options, onExpire: () => this.#expired() }, modules);
  }

  get role(): Role {
    return this.#role;
  }

  /** The own term, which may be above the ledger's. */
  get term(): bigint {
    return this.#terms.term;
  }

  /** Takes up where the store and the ledger are. */
  async start(): Promise<void> {
    const { term } = await this.#modules.view.term();
    this.#terms.load(term);
    await this.#takeRole();
  }

  stop(): void {
    this.#progress.stop();
    this.#endCampaign();
    this.#repeating?.cancel();
  }

  /** Something is due, or nothing any more. */
  async setBusy(busy: boolean): Promise<void> {
    if (busy === this.#progress.isBusy) return;
    this.#progress.setBusy(busy);
    if (!busy) {
      this.#endCampaign();
      this.#stopRepeating();
      return;
    }
    // "Term 0 has no leader: DAs sign Timeout{0} when something is first due."
    if (this.#terms.term === 0n) await this.#expired();
    else await this.#wait();
  }

  /** A block was committed: the leader does its work. */
  committed(): void {
    this.#progress.committed();
    this.#stopRepeating();
  }

  /** Another version is in force: votes and timeouts of the one before lead nowhere any more, and its leader may be gone. */
  async versionChanged(): Promise<void> {
    this.#endCampaign();
    await this.#takeRole();
  }

  /** The ledger has a new leader. */
  async ledgerLeader(): Promise<void> {
    const { term } = await this.#modules.view.term();
    if (await this.#terms.adopt(term)) return;
    if (term === this.#terms.term) this.#endCampaign();
    await this.#takeRole();
  }

  /** Another DA's signed Timeout. @throws VeilgridError `malformed`. */
  async timeout(bytes: Uint8Array): Promise<Uint8Array> {
    const timeout = decodeSigned(timeoutCodec, bytes);
    const { membership } = this.#modules;
    const sender = membership.addressIn(membership.current, timeout.body.da);
    const heard = await this.#terms.hear(timeout);
    if (heard === "invalid") return this.#modules.answers.make("bad-signature");
    if (heard === "stale") return this.#modules.answers.make("stale-term");
    // The sender was put into a later term by Q timeouts: it shows them.
    if (heard === "ahead" && sender !== undefined) this.#askTimeouts(sender);
    return encodeAccepted();
  }

  /** "Q of them, kept and shown on request" */
  timeouts(): Uint8Array {
    return encodeAccepted(this.#terms.certificate);
  }

  /** A candidate's request for a vote. @throws VeilgridError `malformed`. */
  async elect(bytes: Uint8Array, reply: Reply): Promise<void> {
    const request = decodeSigned(electionCodec, bytes);
    const { params, candidate, voter, term } = request.body;
    const { membership, answers } = this.#modules;
    const member = membership.current.da[candidate];
    if (params !== membership.current.version) reply(answers.make("unknown-params"));
    else if (member === undefined || candidate !== voter || !membership.verify("election", request, member.key)) {
      reply(answers.make("bad-signature"));
    } else if (term > this.#terms.term) {
      // "where alone it may ... vote": only after Q timeouts have put this DA into that term.
      this.#askTimeouts(daAddress(member), async () => {
        reply(await this.#answerCandidate(term, candidate, member.key));
      });
    } else reply(await this.#answerCandidate(term, candidate, member.key));
  }

  async #answerCandidate(term: bigint, candidate: number, key: Uint8Array): Promise<Uint8Array> {
    const { answers, view, membership } = this.#modules;
    const ledger = await view.term();
    if (term !== this.#terms.term || term <= ledger.term) return answers.make("stale-term");
    // "never for one of the last f leaders on the ledger"
    if (ledger.recent.some((leader) => equalBytes(leader, key))) return answers.make("unknown-leader");
    // Nor for whoever this DA has just voted for in vain.
    if (this.#votes.hadVote(term, candidate)) return answers.make("unknown-leader");
    const index = membership.indexIn(membership.current);
    const vote = index === undefined ? undefined : await this.#vote(term, candidate, index);
    return vote === undefined ? answers.make("wrong-round") : encodeAccepted(encodeSigned(vote));
  }

  /** The vote for a candidate, if this DA's vote in this term is or may be its: "once, on disk before the answer". */
  async #vote(term: bigint, candidate: number, voter: number): Promise<Signed<ElectionVote> | undefined> {
    const { membership } = this.#modules;
    const { current } = membership;
    const body = { params: current.version, term, candidate, voter };
    if (!(await this.#votes.cast(body))) return undefined;
    // Who votes for another does not stand.
    if (candidate !== voter) this.#waiting?.cancel();
    return membership.sign("election", electionCodec, body, current);
  }

  /** Q timeouts, or the ledger, put this DA into a new term. */
  async #entered(): Promise<void> {
    this.#modules.log("info", "term-entered", { term: this.#terms.term.toString() });
    this.#progress.entered();
    this.#endCampaign();
    this.#stopRepeating();
    await this.#takeRole();
  }

  async #takeRole(): Promise<void> {
    const { term, leader } = await this.#modules.view.term();
    if (leader === undefined || term < this.#terms.term) {
      this.#role = "follower";
      await this.#wait();
      return;
    }
    const own = this.#modules.membership.isOwn(leader);
    this.#role = own ? "leader" : "follower";
    await this.#options.onLeader(own);
  }

  /** "A candidate waits a random time": who may stand in a term without a leader. */
  async #wait(): Promise<void> {
    this.#waiting?.cancel();
    const { membership, clock, random } = this.#modules;
    const index = membership.indexIn(membership.current);
    const { term } = this.#terms;
    if (index === undefined || !(await this.#mayStand(term, index)) || !this.#progress.isBusy) return;
    // Another call may have set a timer meanwhile.
    this.#waiting?.cancel();
    const most = Math.max(1, Math.floor(this.#progress.durationMs / WAIT_PART));
    const wait = random.below(most, "candidate", index, term.toString());
    // Whoever voted for this DA in vain will not do so again yet: it lets the others go first.
    const first = this.#votes.hadVote(term, index) ? most : 0;
    this.#waiting = clock.at(clock.now() + first + wait, "candidate", () => this.#stand(term, index));
  }

  async #mayStand(term: bigint, index: number): Promise<boolean> {
    const { view, membership } = this.#modules;
    const ledger = await view.term();
    if (term <= ledger.term || this.#campaign !== undefined) return false;
    // "the last f leaders wait"
    if (ledger.recent.some((leader) => equalBytes(leader, membership.key))) return false;
    const last = this.#votes.binding(term);
    return last === undefined || last.candidate === index;
  }

  /** "votes for itself and repeats its request until the timer ends" */
  async #stand(term: bigint, index: number): Promise<void> {
    if (term !== this.#terms.term || !(await this.#mayStand(term, index))) return;
    const own = await this.#vote(term, index, index);
    // While the disk was written the term may have ended, or found its leader.
    if (own === undefined || !(await this.#mayStand(term, index))) return;
    if (term !== this.#terms.term || !this.#progress.isBusy || this.#campaign !== undefined) return;
    this.#role = "candidate";
    this.#campaign = new Campaign(own, this.#modules);
    await this.#campaign.ask();
  }

  #endCampaign(): void {
    this.#waiting?.cancel();
    this.#campaign?.stop();
    this.#campaign = undefined;
    if (this.#role === "candidate") this.#role = "follower";
  }

  /** "When it runs out in term t the DA signs Timeout{t} to all" */
  async #expired(): Promise<void> {
    this.#endCampaign();
    await this.#sendTimeout();
  }

  /** Said again every round, because who was down has not heard it. */
  async #sendTimeout(): Promise<void> {
    this.#stopRepeating();
    // Perhaps what was due can no longer be.
    await this.#options.onStall();
    if (!this.#progress.isBusy) return;
    const { membership, transport, clock } = this.#modules;
    const { current } = membership;
    const index = membership.indexIn(current);
    if (index === undefined) return;
    const timeout = this.#terms.own(index);
    this.#repeating = clock.at(clock.now() + current.roundSeconds * 1000, "timeout again", () => this.#sendTimeout());
    for (const { address } of membership.peers(current)) {
      transport.request(address, "timeout", encodeSigned(timeout), (response) => {
        if (answerIn(response)?.code === ANSWER["stale-term"]) this.#askTimeouts(address);
      });
    }
    await this.#terms.hear(timeout);
  }

  #stopRepeating(): void {
    this.#repeating?.cancel();
    this.#repeating = undefined;
  }

  /** Asks for the timeouts that put another DA into its term; `then` runs when they are looked at. */
  #askTimeouts(address: Address, then: () => Promise<void> = () => Promise.resolve()): void {
    this.#modules.transport.request(address, "timeouts", new Uint8Array(), async (response) => {
      const certificate = acceptedBody(response, (body) => body);
      if (certificate !== undefined) await this.#terms.learn(certificate);
      await then();
    });
  }
}

/** How Election keeps time and whom it tells. */
export interface ElectionOptions {
  /** The progress timer's base, milliseconds. */
  readonly baseMs: number;
  /** Its bound under doubling, milliseconds. */
  readonly mostMs: number;
  /** Called when the ledger names a leader, with whether it is this DA. */
  readonly onLeader: (own: boolean) => Promise<void>;
  /** Called before a Timeout is said, first or again: what was due may no longer be. */
  readonly onStall: () => Promise<void>;
}

/** What Election works with. */
export interface ElectionModules extends CampaignModules {
  readonly store: Store;
  readonly view: LedgerView;
  readonly random: Random;
  readonly memory: VerifiedSignatures;
  readonly answers: Answers;
}
