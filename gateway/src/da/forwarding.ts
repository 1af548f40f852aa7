import {
  READING_BYTES,
  ackCodec,
  compareBytes,
  encodeSigned,
  equalBytes,
  malformed,
  readingCodec,
  type AnswerName,
} from "@veilgrid/protocol";
import { decodeBundle, encodeAccepted, encodeBundleAck } from "../transport/envelopes.js";
import type { Answers } from "./answers.js";
import type { Freeze } from "./freeze.js";
import { ackOf } from "./gather.js";
import type { Membership } from "./membership.js";
import { unlessBusy, type BadSignatures, type Flaw, type OpenPeriod, type Periods } from "./periods.js";
import { heldReading, type HeldReading, type Pools } from "./pool.js";

/** Version, Region and Period: what all readings of a bundle have in common. */
const SHARED_BYTES = 9;
const RETRY_MS = 1_000;

/** What became of one reading of a bundle. */
type Fate = "accepted" | "other-reading" | Flaw;

/**
 * Bundles that other DAs forward (PROTOCOL section 4): "each DA verifies them, stores them durably and signs one Ack over
 * the RFC 6962 root of those that it accepted".
 */
export class Forwarding {
  readonly #membership: Membership;
  readonly #answers: Answers;
  readonly #periods: Periods;
  readonly #pools: Pools;
  readonly #freeze: Freeze;

  constructor(modules: {
    readonly membership: Membership;
    readonly answers: Answers;
    readonly periods: Periods;
    readonly pools: Pools;
    readonly freeze: Freeze;
  }) {
    this.#membership = modules.membership;
    this.#answers = modules.answers;
    this.#periods = modules.periods;
    this.#pools = modules.pools;
    this.#freeze = modules.freeze;
  }

  /**
   * Verifies a bundle, stores what is new of it and answers with the Ack, or with an Answer where nothing was accepted.
   * @throws VeilgridError `malformed`.
   */
  async receive(bytes: Uint8Array): Promise<Uint8Array> {
    const readings = this.#decode(bytes);
    const { region, period } = readingCodec.decode(
      (readings[0] as HeldReading).signed.subarray(0, READING_BYTES),
      this.#membership.current.periodSeconds,
    );
    // A frozen DA acks nothing more.
    if (this.#freeze.isFrozen(region, period)) return this.#answers.make("window-late");
    const open = await this.#periods.open(region, period);
    if (open === undefined) return this.#answers.make("no-epoch", { retryAfterMs: RETRY_MS });
    const da = this.#membership.indexIn(open.params);
    if (da === undefined) return this.#answers.make("unknown-params");
    const bad = await this.#periods.prove(open, readings).catch(unlessBusy);
    if (bad === "busy") return this.#answers.make("busy", { params: open.params, retryAfterMs: RETRY_MS });
    // The period may have been frozen or committed while the signatures were checked.
    if (this.#freeze.isFrozen(region, period) || !this.#periods.isOpen(open)) return this.#answers.make("window-late");
    const fates = readings.map((reading) => this.#decide(open, reading, bad));
    return this.#ack(open, da, readings, fates);
  }

  /** A bundle: readings of one region-period, strictly ascending by readingHash. */
  #decode(bytes: Uint8Array): HeldReading[] {
    const readings = decodeBundle(bytes).map(heldReading);
    const shared = (readings[0] as HeldReading).signed.subarray(0, SHARED_BYTES);
    readings.forEach(({ signed, hash }, i) => {
      if (!equalBytes(signed.subarray(0, SHARED_BYTES), shared)) throw malformed("bundle", "readings of two periods");
      const before = readings[i - 1];
      if (before !== undefined && compareBytes(before.hash, hash) >= 0) throw malformed("bundle", "not ascending");
    });
    return readings;
  }

  #decide(open: OpenPeriod, reading: HeldReading, bad: BadSignatures): Fate {
    const flaw = this.#periods.flaw(open, reading, bad);
    if (flaw !== undefined) return flaw;
    // "a DA acks one reading a PRID, the first that it verified"
    return open.pool.claim(reading) ? "accepted" : "other-reading";
  }

  async #ack(
    open: OpenPeriod,
    da: number,
    readings: readonly HeldReading[],
    fates: readonly Fate[],
  ): Promise<Uint8Array> {
    const accepted = readings.filter((_, i) => fates[i] === "accepted");
    await this.#store(
      open,
      accepted,
      readings.filter((_, i) => fates[i] === "other-reading"),
    );
    // While the disk was written the period may have been frozen, and a vote given on what was settled by then.
    if (this.#freeze.isFrozen(open.region, open.period))
      return this.#answers.make("window-late", { params: open.params });
    const [fate] = fates as [Fate];
    if (accepted.length === 0)
      return this.#answers.make(fate as AnswerName, { params: open.params, retryAfterMs: RETRY_MS });
    const ack = encodeSigned(this.#membership.sign("ack", ackCodec, ackOf(open, da, accepted), open.params));
    return encodeAccepted(encodeBundleAck({ ack, accepted: fates.map((one) => one === "accepted") }));
  }

  /** Durable before the answer. Another DA may have acked what this one does not: that is kept for the leader's union. */
  async #store(open: OpenPeriod, accepted: readonly HeldReading[], others: readonly HeldReading[]): Promise<void> {
    await this.#pools.persist(
      open,
      "a",
      accepted.filter((reading) => !open.pool.isSettled(reading)),
    );
    await this.#pools.persist(
      open,
      "n",
      others.filter((reading) => open.pool.admit(reading)),
    );
  }
}
