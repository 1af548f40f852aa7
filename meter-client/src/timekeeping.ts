import { maxFaulty } from "@veilgrid/protocol";
import { decodeTimeReply } from "./answers.js";
import { ClockOffset } from "./clockoffset.js";
import type { MeterClock, MeterTimer, MeterTransport } from "./ports.js";

/** How long DAs may take to tell the time; an answer that took longer would say little. */
const ASK_TIMEOUT_MS = 5_000;
/** "asked once a day" */
const DAY_MS = 86_400_000;
/** Not even window answers make a meter ask more often. */
const MIN_PAUSE_MS = 60_000;

/** One round of asking. */
interface Round {
  readonly sent: number;
  /** How many DAs were asked. */
  readonly asked: number;
  readonly differences: number[];
}

const NOTHING = new Uint8Array(0);

/**
 * The meter's sense of time: its oscillator, set by "the median time of at least 2f+1 DAs, asked once a day (and after a
 * window answer)" (PROTOCOL section 3).
 */
export class Timekeeping {
  readonly #clock: MeterClock;
  readonly #transport: MeterTransport;
  readonly #offset: ClockOffset;
  readonly #das: () => readonly string[];
  readonly #onAsk: () => void;
  #asked = -Infinity;
  #round: Round | undefined;
  #timer: MeterTimer | undefined;
  #plan: MeterTimer | undefined;

  /** @param options.das the addresses of the DAs at present; @param options.onAsk called whenever they are asked. */
  constructor(
    options: { readonly das: () => readonly string[]; readonly onAsk?: () => void },
    modules: { readonly clock: MeterClock; readonly transport: MeterTransport },
  ) {
    this.#clock = modules.clock;
    this.#transport = modules.transport;
    this.#das = options.das;
    this.#onAsk = options.onAsk ?? ((): void => undefined);
    this.#offset = new ClockOffset(() => 2 * maxFaulty(options.das().length) + 1);
  }

  /** Unix milliseconds as the meter believes. */
  now(): number {
    return this.#clock.now() + this.#offset.ms;
  }

  /** Runs `action` when the meter believes it is `time`. */
  at(time: number, label: string, action: () => Promise<void> | void): MeterTimer {
    return this.#clock.at(time - this.#offset.ms, label, action);
  }

  /** Once a period: the clock moves towards what the DAs said last. */
  step(): void {
    this.#offset.step();
  }

  /** Whether a day has gone by since the DAs were asked, and no asking is planned. */
  get due(): boolean {
    return this.#plan === undefined && this.#clock.now() - this.#asked >= DAY_MS;
  }

  /** Asks all DAs now; at most once a minute, whoever wants it. */
  ask(): void {
    if (this.#clock.now() - this.#asked >= MIN_PAUSE_MS) this.#ask();
  }

  /** Asks all DAs `delayMs` from now, unless somebody does before. */
  askLater(delayMs: number): void {
    this.#plan ??= this.#clock.at(this.#clock.now() + delayMs, "ask for the time", () => {
      this.#ask();
    });
  }

  stop(): void {
    this.#plan?.cancel();
    this.#plan = undefined;
    this.#endRound();
  }

  #endRound(): void {
    this.#timer?.cancel();
    this.#round = undefined;
  }

  #ask(): void {
    this.stop();
    const now = this.#clock.now();
    const das = this.#das();
    const round: Round = { sent: now, asked: das.length, differences: [] };
    this.#asked = now;
    this.#round = round;
    this.#timer = this.#clock.at(now + ASK_TIMEOUT_MS, "time asked", () => {
      this.#conclude(round);
    });
    for (const da of das) {
      let answered = false;
      this.#transport.request(da, "time", NOTHING, (response) => {
        // One DA, one voice: a second answer would be a second vote in the median.
        if (answered) return;
        answered = true;
        this.#hear(round, response);
      });
    }
    this.#onAsk();
  }

  #hear(round: Round, response: Uint8Array): void {
    const time = decodeTimeReply(response);
    if (round !== this.#round || time === undefined) return;
    // The DA looked at its clock somewhere between the asking and the hearing.
    round.differences.push(time - (round.sent + this.#clock.now()) / 2);
    if (round.differences.length === round.asked) this.#conclude(round);
  }

  #conclude(round: Round): void {
    if (round !== this.#round) return;
    this.#endRound();
    this.#offset.follow(round.differences);
  }
}
