import {
  ANSWER,
  READING_BYTES,
  SIGNED_READING_BYTES,
  isVeilgridError,
  readingCodec,
  readingHash,
  window,
  type AnswerName,
  type Params,
  type Reading,
} from "@veilgrid/protocol";
import type { Clock } from "../ports/clock.js";
import type { About } from "./answers.js";
import type { Epochs } from "./epochs.js";
import type { Freeze } from "./freeze.js";
import type { Membership } from "./membership.js";
import { unlessBusy, type BadSignatures, type OpenPeriod, type Periods } from "./periods.js";
import { heldReading, type HeldReading } from "./pool.js";

/** How long a meter should wait before it asks again for a period that has no epoch yet. */
const NO_EPOCH_RETRY_MS = 60_000;
/** More readings came in than this machine checks in the same time: how long until some of them are done. */
const BUSY_RETRY_MS = 1_000;

/** A reading that may be acked, or the answer that its meter gets instead. */
export type Authenticated =
  | { readonly open: OpenPeriod; readonly reading: HeldReading }
  | { readonly refusal: AnswerName; readonly about: About };

/**
 * The checks of a reading that a meter sends (PROTOCOL section 4, Data aggregation): "The DA checks, in this order:
 * well-formed; window; epoch; PRID in BF1[j,k] and in the list; the same bytes before (then the same answer); signature;
 * another verified reading under this PRID (then conflict ...)".
 */
export class Authentication {
  readonly #clock: Clock;
  readonly #membership: Membership;
  readonly #epochs: Epochs;
  readonly #freeze: Freeze;
  readonly #periods: Periods;

  constructor(modules: {
    readonly clock: Clock;
    readonly membership: Membership;
    readonly epochs: Epochs;
    readonly freeze: Freeze;
    readonly periods: Periods;
  }) {
    this.#clock = modules.clock;
    this.#membership = modules.membership;
    this.#epochs = modules.epochs;
    this.#freeze = modules.freeze;
    this.#periods = modules.periods;
  }

  /**
   * Checks the bytes and, if all is well, claims the PRID for them: "a DA acks one reading a PRID, the first that it
   * verified".
   */
  async check(bytes: Uint8Array): Promise<Authenticated> {
    const hash = readingHash(bytes);
    // Well-formed.
    const reading = this.#decode(bytes);
    if (reading === undefined) return { refusal: "malformed", about: { hash } };
    const { region, period } = reading;
    const open = this.#freeze.isFrozen(region, period) ? undefined : await this.#periods.open(region, period);
    const params = open?.params ?? (await this.#epochs.paramsOf(region, period));
    const held = heldReading(bytes);
    const about: About = { params, hash, signed: open !== undefined && this.#periods.lists(open, held.prid) === true };
    // Window.
    const refusal = this.#outside(reading, params);
    if (refusal !== undefined) return { refusal: refusal.name, about: { ...about, ...refusal } };
    // Epoch.
    if (open === undefined) return { refusal: "no-epoch", about: { ...about, retryAfterMs: NO_EPOCH_RETRY_MS } };
    return this.#prove(open, held, about);
  }

  async #prove(open: OpenPeriod, reading: HeldReading, about: About): Promise<Authenticated> {
    // A DA acks only under a params version that names it.
    if (this.#membership.indexIn(open.params) === undefined) return { refusal: "unknown-params", about: {} };
    const bad = await this.#periods.prove(open, [reading]).catch(unlessBusy);
    if (bad === "busy") return { refusal: "busy", about: { ...about, retryAfterMs: BUSY_RETRY_MS } };
    // The period may have been frozen or committed while the signature was checked.
    const over = this.#freeze.isFrozen(open.region, open.period) || !this.#periods.isOpen(open);
    return over ? { refusal: "window-late", about } : this.#checkOpen(open, reading, bad, about);
  }

  #decode(bytes: Uint8Array): Reading | undefined {
    if (bytes.length !== SIGNED_READING_BYTES) return undefined;
    try {
      return readingCodec.decode(bytes.subarray(0, READING_BYTES), this.#membership.current.periodSeconds);
    } catch (error) {
      if (isVeilgridError(error, "malformed")) return undefined;
      throw error;
    }
  }

  /** "half-open window [end(k), end(k)+submissionWindow), judged by the clock of the first DA that receives them" */
  #outside({ region, period }: Reading, params: Params): OutsideWindow | undefined {
    const now = this.#clock.now();
    const { opens, closes } = window(period, params);
    if (now < opens) return { name: "window-early", retryAfterMs: Math.min(opens - now, 0xffff_ffff) };
    const late = now >= closes || this.#freeze.isFrozen(region, period);
    return late ? { name: "window-late" } : undefined;
  }

  /** Nothing happens between these checks and the claim. */
  #checkOpen(open: OpenPeriod, reading: HeldReading, bad: BadSignatures, about: About): Authenticated {
    const flaw = this.#periods.flaw(open, reading, bad);
    if (flaw !== undefined) {
      const retryAfterMs = ANSWER[flaw] < 16 ? NO_EPOCH_RETRY_MS : 0;
      return { refusal: flaw, about: { ...about, retryAfterMs } };
    }
    // Another verified reading under this PRID. Unverified bytes never came so far, so they burn no PRID.
    return open.pool.claim(reading) ? { open, reading } : { refusal: "other-reading", about };
  }
}

interface OutsideWindow {
  readonly name: "window-early" | "window-late";
  readonly retryAfterMs?: number;
}
