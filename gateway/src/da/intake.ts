import { ackCodec, isVeilgridError, type AnswerName } from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Reply, Transport } from "../ports/transport.js";
import { MAX_BUNDLE, decodeBundleAck, decodeResponse, encodeAccepted, encodeBundle } from "../transport/envelopes.js";
import type { Answers } from "./answers.js";
import type { Authentication } from "./authentication.js";
import type { Freeze } from "./freeze.js";
import { Gather, ackOf, type Receipted } from "./gather.js";
import type { Membership, Peer } from "./membership.js";
import type { OpenPeriod } from "./periods.js";
import { byHash, type HeldReading, type Pools } from "./pool.js";

/** How many askers of one reading wait at a time; more would be somebody who floods with bytes that he saw. */
const MOST_ASKERS = 8;
const BUSY_RETRY_MS = 1_000;

/** The meters' requests of one region-period. */
interface Desk {
  readonly open: OpenPeriod;
  /** Who waits for the receipt of a reading, by its name. */
  readonly askers: Map<string, Reply[]>;
  /** Receipts by reading, for whoever asks again. */
  readonly receipts: Map<string, Uint8Array>;
  /** Readings of the next bundle. */
  bundle: HeldReading[];
  /** When the next bundle leaves. */
  timer: Timer | undefined;
}

/**
 * Meters' readings on their way to a receipt (PROTOCOL section 4, Data aggregation): what came in within `bundleMs` goes
 * to all DAs as one bundle; "the receiving DA gathers Q acks and answers each meter with its receipt".
 */
export class Intake {
  readonly #bundleMs: number;
  readonly #modules: IntakeModules;
  readonly #desks = new Map<string, Desk>();
  readonly #gathering = new Set<Timer>();

  /** @param options.bundleMs how long a bundle is open, milliseconds. */
  constructor(options: { readonly bundleMs: number }, modules: IntakeModules) {
    this.#bundleMs = options.bundleMs;
    this.#modules = modules;
  }

  /** One signed reading of a meter; `reply` gets the receipt or an Answer. */
  async receive(bytes: Uint8Array, reply: Reply): Promise<void> {
    const found = await this.#modules.authentication.check(bytes);
    if ("refusal" in found) {
      reply(this.#modules.answers.make(found.refusal, found.about));
      return;
    }
    await this.#admit(this.#deskOf(found.open), found.reading, reply);
  }

  /** Everything of a period is dropped when its block is committed. */
  drop(slot: string): void {
    this.#desks.get(slot)?.timer?.cancel();
    this.#desks.delete(slot);
  }

  stop(): void {
    for (const { timer } of this.#desks.values()) timer?.cancel();
    for (const timer of this.#gathering) timer.cancel();
    this.#gathering.clear();
    this.#desks.clear();
  }

  #deskOf(open: OpenPeriod): Desk {
    const known = this.#desks.get(open.slot);
    if (known !== undefined) return known;
    const desk: Desk = { open, askers: new Map(), receipts: new Map(), bundle: [], timer: undefined };
    this.#desks.set(open.slot, desk);
    return desk;
  }

  async #admit(desk: Desk, reading: HeldReading, reply: Reply): Promise<void> {
    // "to what is accepted, or the same again, the receipt"
    const receipt = desk.receipts.get(reading.id);
    if (receipt !== undefined) {
      reply(encodeAccepted(receipt));
      return;
    }
    const askers = desk.askers.get(reading.id);
    if (askers === undefined) {
      desk.askers.set(reading.id, [reply]);
      desk.bundle.push(reading);
      await this.#schedule(desk);
    } else if (askers.length < MOST_ASKERS) askers.push(reply);
    else reply(this.#answer("busy", desk, reading, BUSY_RETRY_MS));
  }

  /** A bundle leaves when it is full, old enough, or at the window's end. */
  async #schedule(desk: Desk): Promise<void> {
    if (desk.bundle.length >= MAX_BUNDLE) return this.#flush(desk);
    const { clock } = this.#modules;
    const leaves = Math.min(clock.now() + this.#bundleMs, desk.open.window.closes);
    desk.timer ??= clock.at(leaves, "bundle", () => this.#flush(desk));
    return undefined;
  }

  async #flush(desk: Desk): Promise<void> {
    desk.timer?.cancel();
    desk.timer = undefined;
    const readings = desk.bundle.sort(byHash);
    desk.bundle = [];
    const { open } = desk;
    const { pools, freeze, membership } = this.#modules;
    const da = membership.indexIn(open.params);
    // A frozen DA acks nothing more: a bundle that leaves so late was held up by this DA itself.
    if (freeze.isFrozen(open.region, open.period) || da === undefined) {
      for (const reading of readings) open.pool.disclaim(reading);
      this.#giveUp(desk, readings);
      return;
    }
    await pools.persist(
      open,
      "a",
      readings.filter((reading) => !open.pool.isSettled(reading)),
    );
    // While the disk was written the period may have been frozen, and a vote given on what was settled by then.
    if (freeze.isFrozen(open.region, open.period)) this.#giveUp(desk, readings);
    else this.#gather(desk, readings, da);
  }

  #gather(desk: Desk, readings: readonly HeldReading[], da: number): void {
    const { open } = desk;
    const { membership, transport, clock } = this.#modules;
    const gather = new Gather(open, readings, { membership });
    this.#receipt(desk, gather.own(membership.sign("ack", ackCodec, ackOf(open, da, readings), open.params)));
    if (gather.waiting.length === 0) return;
    // "Fewer than Q after `roundSeconds`: retry, too-few-acks".
    const timer = clock.at(clock.now() + open.params.roundSeconds * 1000, "too few acks", () => {
      this.#gathering.delete(timer);
      this.#giveUp(desk, gather.waiting);
    });
    this.#gathering.add(timer);
    const request = encodeBundle(readings.map(({ signed }) => signed));
    for (const peer of membership.peers(open.params)) {
      transport.request(peer.address, "forward", request, (response) => {
        if (!this.#gathering.has(timer)) return;
        this.#receipt(desk, this.#acked(gather, peer, response, readings.length));
        if (gather.waiting.length > 0) return;
        timer.cancel();
        this.#gathering.delete(timer);
      });
    }
  }

  #acked(gather: Gather, peer: Peer, response: Uint8Array, count: number): readonly Receipted[] {
    try {
      const decoded = decodeResponse(response);
      const done = decoded.tag === "accepted" ? gather.peer(peer, decodeBundleAck(decoded.body, count)) : undefined;
      if (done === undefined) this.#modules.log("debug", "bundle-not-acked", { da: peer.index });
      return done ?? [];
    } catch (error) {
      if (!isVeilgridError(error, "malformed")) throw error;
      this.#modules.log("warn", "malformed-ack", { da: peer.index });
      return [];
    }
  }

  #receipt(desk: Desk, done: readonly Receipted[]): void {
    for (const { reading, receipt } of done) {
      desk.receipts.set(reading.id, receipt);
      for (const reply of desk.askers.get(reading.id) ?? []) reply(encodeAccepted(receipt));
      desk.askers.delete(reading.id);
    }
  }

  #giveUp(desk: Desk, readings: readonly HeldReading[]): void {
    for (const reading of readings) {
      const retryAfterMs = desk.open.params.roundSeconds * 1000;
      for (const reply of desk.askers.get(reading.id) ?? []) {
        reply(this.#answer("too-few-acks", desk, reading, retryAfterMs));
      }
      desk.askers.delete(reading.id);
    }
  }

  /** Signed: the reading is well-formed and its PRID listed. */
  #answer(name: AnswerName, { open }: Desk, { hash }: HeldReading, retryAfterMs: number): Uint8Array {
    return this.#modules.answers.make(name, { params: open.params, hash, retryAfterMs, signed: true });
  }
}

/** What Intake works with. */
export interface IntakeModules {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly log: Log;
  readonly membership: Membership;
  readonly answers: Answers;
  readonly authentication: Authentication;
  readonly pools: Pools;
  readonly freeze: Freeze;
}
