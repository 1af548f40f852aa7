import {
  ANSWER_CLASS,
  answerCodec,
  answerName,
  decodeSigned,
  encodeCertificate,
  equalBytes,
  incompleteCodec,
  isVeilgridError,
  voteCodec,
  type Params,
  type Signed,
  type Vote,
} from "@veilgrid/protocol";
import type { Log } from "../ports/log.js";
import { decodeResponse, type Response } from "../transport/envelopes.js";
import type { Draft } from "./draft.js";
import type { Membership } from "./membership.js";

/** What came back for one round's proposal. */
export class Tally {
  readonly #draft: Draft;
  readonly #params: Params;
  readonly #membership: Membership;
  readonly #log: Log;
  readonly #votes = new Map<number, Signed<Vote>>();
  readonly #answered = new Set<number>();
  #waitMs: number | undefined;

  /** @param params the version whose members vote. */
  constructor(draft: Draft, params: Params, modules: { readonly membership: Membership; readonly log: Log }) {
    this.#draft = draft;
    this.#params = params;
    this.#membership = modules.membership;
    this.#log = modules.log;
  }

  /** "all W answers" */
  get isOver(): boolean {
    return this.#answered.size === this.#params.da.length;
  }

  /** The longest wait that an answer asked for, milliseconds; undefined where none did. */
  get waitMs(): number | undefined {
    return this.#waitMs;
  }

  /** Q votes as a certificate, as soon as they are there. */
  get certificate(): Uint8Array | undefined {
    const needed = this.#membership.quorumOf(this.#params);
    return this.#votes.size < needed ? undefined : encodeCertificate([...this.#votes.values()].slice(0, needed));
  }

  /**
   * Takes in what a DA said, once: its vote, its wish to wait, or the reading leaves that it misses in the block.
   * @returns those leaves, not yet verified.
   */
  hear(da: number, bytes: Uint8Array): readonly Uint8Array[] {
    if (this.#answered.has(da)) return [];
    this.#answered.add(da);
    try {
      return this.#take(da, decodeResponse(bytes));
    } catch (error) {
      if (!isVeilgridError(error, "malformed")) throw error;
      this.#log("warn", "malformed-vote", { da });
      return [];
    }
  }

  #take(da: number, response: Response): readonly Uint8Array[] {
    if (response.tag === "incomplete") return this.#missing(da, response.body);
    if (response.tag === "accepted") this.#vote(da, response.body);
    else this.#answer(da, response.answer);
    return [];
  }

  #vote(da: number, bytes: Uint8Array): void {
    const vote = decodeSigned(voteCodec, bytes);
    const { header, cbh } = this.#draft;
    const { region, number, term, round } = header;
    const due = voteCodec.encode({ params: this.#params.version, region, number, term, round, cbh, da });
    if (equalBytes(vote.bytes, due) && this.#isSigned("vote", da, vote)) this.#votes.set(da, vote);
    else this.#log("warn", "wrong-vote", { da });
  }

  #missing(da: number, bytes: Uint8Array): readonly Uint8Array[] {
    const incomplete = decodeSigned(incompleteCodec, bytes);
    const { region, number, term, round, da: sender } = incomplete.body;
    const { header } = this.#draft;
    const here = region === header.region && number === header.number && term === header.term && round === header.round;
    const good = here && sender === da && this.#isSigned("incomplete", da, incomplete);
    return good ? incomplete.body.missing : [];
  }

  #answer(da: number, bytes: Uint8Array): void {
    const { code, class: sort, retryAfterMs } = answerCodec.decode(bytes);
    if (sort === ANSWER_CLASS.retry) this.#waitMs = Math.max(this.#waitMs ?? 0, retryAfterMs);
    const { region, number, round } = this.#draft.header;
    this.#log("debug", "no-vote", {
      da,
      why: answerName(code) ?? code,
      chain: region,
      number: number.toString(),
      round,
    });
  }

  #isSigned(kind: "vote" | "incomplete", da: number, signed: Pick<Signed<unknown>, "bytes" | "sig">): boolean {
    const member = this.#params.da[da];
    return member !== undefined && this.#membership.verify(kind, signed, member.key);
  }
}
