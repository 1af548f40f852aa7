import { paramsRule, rule, structCodec, type StructCodec } from "./struct.js";

/** Class of an answer: 3 retry, 4 refused, 5 conflict. */
export type AnswerClass = 3 | 4 | 5;

/** The wire's classes by name. */
export const ANSWER_CLASS = { retry: 3, refused: 4, conflict: 5 } as const;

/** The wire's codes by name (PROTOCOL section 7); 48 and up are between DAs. */
export const ANSWER = {
  "window-early": 1,
  "no-epoch": 2,
  busy: 3,
  "too-few-acks": 4,
  malformed: 16,
  "window-late": 17,
  "unknown-prid": 18,
  "bad-signature": 19,
  "unknown-params": 20,
  "other-reading": 32,
  "stale-term": 48,
  "wrong-round": 49,
  incomplete: 50,
  "already-committed": 51,
  "not-frozen": 52,
  "bad-time": 53,
  "bad-block": 54,
  "unknown-leader": 55,
  "not-entitled": 56,
} as const;

export type AnswerName = keyof typeof ANSWER;

/** What a DA says instead of a receipt or a vote. */
export interface Answer {
  /** The version of the period's epoch, else the current one. */
  readonly params: number;
  readonly da: number;
  readonly class: AnswerClass;
  readonly code: number;
  /** The reading's hash, the CBH in an answer about a proposal or vote, zero if none; 32 bytes. */
  readonly readingHash: Uint8Array;
  /** The DA's clock, Unix milliseconds. */
  readonly now: bigint;
  readonly retryAfterMs: number;
}

/** "Codes 1 to 15 go with class 3, 16 to 31 with 4, 32 to 47 with 5, 48 and up with 3 or 4; never 0" */
function goesWith(code: number, answerClass: AnswerClass): boolean {
  if (code < 1) return false;
  if (code >= 48) return answerClass !== ANSWER_CLASS.conflict;
  if (code >= 32) return answerClass === ANSWER_CLASS.conflict;
  return answerClass === (code >= 16 ? ANSWER_CLASS.refused : ANSWER_CLASS.retry);
}

/** The name of a code, or nothing for one that this version does not know. */
export function answerName(code: number): AnswerName | undefined {
  return (Object.keys(ANSWER) as AnswerName[]).find((name) => ANSWER[name] === code);
}

/** The codec of Answer; unknown codes are accepted. */
export const answerCodec: StructCodec<Answer> = structCodec<Answer>({
  what: "answer",
  write: (to, v) =>
    to.u16(v.params).u8(v.da).u8(v.class).u16(v.code).fixed(v.readingHash, 32).u64(v.now).u32(v.retryAfterMs),
  read(from) {
    const [params, da, answerClass] = [from.u16(), from.u8(), from.u8()];
    if (answerClass !== 3 && answerClass !== 4 && answerClass !== 5) throw from.refuse(`class ${answerClass}`);
    const rest = { code: from.u16(), readingHash: from.fixed(32), now: from.u64(), retryAfterMs: from.u32() };
    return { params, da, class: answerClass, ...rest };
  },
  rules: [paramsRule, rule("code does not go with its class", (v) => goesWith(v.code, v.class))],
});
