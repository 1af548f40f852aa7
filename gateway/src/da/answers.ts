import { ANSWER, ANSWER_CLASS, answerCodec, type AnswerClass, type AnswerName, type Params } from "@veilgrid/protocol";
import type { Clock } from "../ports/clock.js";
import { encodeAnswer } from "../transport/envelopes.js";
import type { Membership } from "./membership.js";

const NO_HASH = new Uint8Array(32);
/** No DA has this index: an aggregator that no params version in question names. */
const NO_INDEX = 255;

/** What an answer is about. */
export interface About {
  /** The version of the period's epoch; without it the current one. */
  readonly params?: Params;
  /** readingHash, or the CBH in an answer about a proposal; zero without it. */
  readonly hash?: Uint8Array;
  readonly retryAfterMs?: number;
  /** For the codes between DAs: whether asking again may help. */
  readonly retry?: boolean;
  /** "signed where the bytes were well-formed and the PRID is listed (or a flood would buy signatures)" */
  readonly signed?: boolean;
}

/** "Codes 1 to 15 go with class 3, 16 to 31 with 4, 32 to 47 with 5, 48 and up with 3 or 4" */
function classOf(code: number, retry: boolean): AnswerClass {
  if (code < 16) return ANSWER_CLASS.retry;
  if (code < 32) return ANSWER_CLASS.refused;
  if (code < 48) return ANSWER_CLASS.conflict;
  return retry ? ANSWER_CLASS.retry : ANSWER_CLASS.refused;
}

/** Makes the typed answers of this aggregator. */
export class Answers {
  readonly #membership: Membership;
  readonly #clock: Clock;

  constructor(modules: { readonly membership: Membership; readonly clock: Clock }) {
    this.#membership = modules.membership;
    this.#clock = modules.clock;
  }

  /** An answer in its envelope. */
  make(name: AnswerName, about: About = {}): Uint8Array {
    const code = ANSWER[name];
    const params = about.params ?? this.#membership.current;
    const index = this.#membership.indexIn(params);
    const body = {
      params: params.version,
      da: index ?? NO_INDEX,
      class: classOf(code, about.retry ?? false),
      code,
      readingHash: about.hash ?? NO_HASH,
      now: BigInt(this.#clock.now()),
      retryAfterMs: about.retryAfterMs ?? 0,
    };
    // Who is no member of the version has nobody to sign as.
    if (about.signed !== true || index === undefined) return encodeAnswer(answerCodec.encode(body));
    const { bytes, sig } = this.#membership.sign("answer", answerCodec, body, params);
    return encodeAnswer(bytes, sig);
  }
}
