import { LIMITS, type Identity } from "@veilgrid/gateway";
import type { Attack, Order, Tally } from "./attack.js";
import { mutated } from "./bodies.js";
import { Dice } from "./dice.js";
import { oversized, proper, wrapped, type Frame } from "./frames.js";
import { ledgerMessages } from "./ledger-messages.js";
import {
  OrganisationMessages,
  deviceMessages,
  healthMessages,
  meterMessages,
  type Sender,
  type ValidMessage,
} from "./messages.js";
import { every } from "./pace.js";
import { Papers } from "./papers.js";
import { Sessions } from "./sessions.js";
import { address, call } from "./wire.js";

/** Sessions with a server at a time. */
const SESSIONS = 6;
/** One in so many messages is larger than the server takes. */
const OVERSIZED = 50;
const ADDRESSES = 64;
/** The readings that are sent unchanged and changed. */
const READINGS = 8;
/** By gRPC's status. */
const OUTCOMES: Readonly<Record<number, string>> = { [-1]: "cut off", 0: "answered", 8: "too large" };
/** One in so many asks for the server's health. */
const HEALTH = 10;
const SENDERS: readonly Sender[] = ["da3", "cc", "kgcbp"];

interface Target {
  readonly name: string;
  readonly port: number;
  /** Of the addresses that are called from: 127.`network`.x.y. */
  readonly network: number;
  readonly identity?: Identity;
  readonly messages: readonly ValidMessage[];
  /** Bytes of the largest request that is taken; undefined where they are so many that sending more is no fuzzing. */
  readonly largest?: number;
  readonly perSecond: number;
}

/** One server that is sent what it should not be. */
class Fuzzing {
  readonly #target: Target;
  readonly #dice: Dice;
  readonly #tally: Tally;
  readonly #health = healthMessages();
  readonly #sessions: Sessions;

  constructor(target: Target, seed: string, tally: Tally) {
    this.#target = target;
    this.#dice = new Dice(`${seed}/${target.name}`);
    this.#tally = tally;
    const { port, network, identity } = target;
    const own = identity === undefined ? {} : { identity };
    this.#sessions = new Sessions((n) => ({ port, from: address(network, n % ADDRESSES), ...own }));
  }

  async one(): Promise<void> {
    // Drawn before anything is waited for: the draws' order does not depend on the network.
    const { path, frame } = this.#next();
    const seat = this.#dice.below(SESSIONS);
    const session = await this.#sessions.take(seat);
    const status = session === undefined ? -1 : await call(session, path, frame);
    this.#tally.add(`${this.#target.name} calls`);
    this.#tally.add("bytes", frame.bytes.length);
    this.#tally.add(OUTCOMES[status] ?? "refused");
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }

  #next(): { readonly path: string; readonly frame: Frame } {
    const { largest = 0 } = this.#target;
    const messages = this.#dice.below(HEALTH) === 0 ? this.#health : this.#target.messages;
    const message = this.#dice.pick(messages);
    const { path } = message;
    if (this.#dice.below(OVERSIZED) === 0 && largest > 0) return { path, frame: oversized(this.#dice, largest) };
    return { path, frame: this.#changed(message, this.#dice.pick(messages).body) };
  }

  #changed({ body, signed, shape }: ValidMessage, other: Uint8Array): Frame {
    const { largest = 0 } = this.#target;
    if (this.#dice.below(8) === 0) return proper(signed?.(body) ?? body, shape);
    const changed = mutated(body, this.#dice, other);
    // What is changed first and signed then gets further than what is changed under its signature.
    if (signed === undefined || changed.length === 0) return wrapped(changed, this.#dice, largest, shape);
    if (this.#dice.below(2) === 0) return proper(signed(changed), shape);
    return wrapped(mutated(signed(body), this.#dice, other), this.#dice, largest, shape);
  }
}

function targets({ folder, head }: Order): Target[] {
  const papers = Papers.of(folder);
  const { places, meters } = papers.overview;
  const readings = papers.readings(meters - READINGS, meters);
  const [da] = places.das;
  const organisations = new OrganisationMessages(papers, head, readings);
  return [
    {
      ...{ name: "meters'", port: da?.meters ?? 0, network: 11, perSecond: 120 },
      ...{ messages: meterMessages(readings), largest: LIMITS.meters.requestBytes },
    },
    {
      ...{ name: "devices'", port: places.kgcbp.meters, network: 12, perSecond: 40 },
      ...{ messages: deviceMessages(), largest: LIMITS.devices.requestBytes },
    },
    ...SENDERS.map((sender, i) => ({
      ...{
        name: "organisations'",
        port: da?.organisations ?? 0,
        network: 13 + i,
        perSecond: sender === "da3" ? 50 : 15,
      },
      ...{ messages: organisations.of(sender), identity: papers.identity(sender) },
      largest: LIMITS.organisations.requestBytes,
    })),
    // What only aggregators answer, asked of those that are none.
    ...[places.cc, places.kgcbp].map((place, i) => ({
      ...{ name: "other organisations'", port: place.organisations, network: 16 + i, perSecond: 20 },
      ...{ messages: organisations.of("da3"), identity: papers.identity("da3") },
      largest: LIMITS.organisations.requestBytes,
    })),
    {
      ...{ name: "ledger's", port: places.ledger.listen, network: 18, perSecond: 30 },
      ...{ messages: ledgerMessages(), identity: papers.identity("cc") },
    },
  ];
}

/** Every method of every audience is sent random, truncated, oversized and changed messages, seeded. */
export const fuzz: Attack = (order, tally) => {
  const all = targets(order).map((target, i) => ({
    target,
    fuzzing: new Fuzzing(target, `${order.seed}/${i}`, tally),
  }));
  return async (signal) => {
    await Promise.all(
      all.map(async ({ target, fuzzing }) => {
        await every(1_000 / target.perSecond, signal, () => fuzzing.one());
        await fuzzing.close();
      }),
    );
  };
};
