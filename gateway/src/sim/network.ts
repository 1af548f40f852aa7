import type { Clock } from "../ports/clock.js";
import type { Random } from "../ports/random.js";
import type { Address, Handler, Method, Reply, Transport } from "../ports/transport.js";

/** One-way delay of a message in milliseconds: uniform in [minMs, maxMs]. */
export interface Latency {
  readonly minMs: number;
  readonly maxMs: number;
}

/** A message on its way, as drop rules see it. */
export interface Packet {
  readonly from: Address;
  readonly to: Address;
  readonly method: Method;
  readonly direction: "request" | "response";
  readonly bytes: Uint8Array;
}

/** Whether a packet is lost. */
export type DropRule = (packet: Packet) => boolean;

interface Party {
  readonly handler: Handler;
}

/** FNV-1a of a text, salted: latencies are drawn for every message, and need no cryptography. */
function mixed(salt: number, text: string): number {
  let hash = (0x811c9dc5 ^ salt) >>> 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Whom an asker is known as: a meter has no name that anybody could check. */
function asker(from: Address): Address | undefined {
  return from.startsWith("meter/") ? undefined : from;
}

/**
 * The network of the in-process world: every request and every answer becomes an action of its own after a seeded
 * latency. A party that is down neither gets nor sends anything; what was on its way when it went down, and the answers
 * to what it had asked, are lost, as with a process that died.
 */
export class SimNetwork {
  readonly #clock: Clock;
  readonly #salt: number;
  readonly #latency: Latency;
  readonly #parties = new Map<Address, Party>();
  readonly #down = new Set<Address>();
  // Counts how often an address went down: a packet of an earlier life is not delivered in a later one.
  readonly #lives = new Map<Address, number>();
  readonly #rules = new Set<DropRule>();
  #lastSent = 0;
  #sentAtOnce = 0;

  constructor(options: { readonly latency: Latency }, modules: { readonly clock: Clock; readonly random: Random }) {
    this.#latency = options.latency;
    this.#clock = modules.clock;
    this.#salt = modules.random.below(2 ** 32, "latency");
  }

  /** Requests to `address` go to `handler` from now on. */
  listen(address: Address, handler: Handler): void {
    this.#parties.set(address, { handler });
  }

  /** Nobody answers at `address` any more. */
  close(address: Address): void {
    this.#parties.delete(address);
    this.#endLife(address);
  }

  /** The transport of one party. `from` may be a name that nobody can ask, such as a meter's. */
  transport(from: Address): Transport {
    return {
      request: (to, method, request, onResponse) => {
        this.#request(from, to, method, request, onResponse);
      },
    };
  }

  isUp(address: Address): boolean {
    return !this.#down.has(address);
  }

  /** Takes an address down, with everything under way from or to it, or brings it back. */
  setUp(address: Address, up: boolean): void {
    if (up) this.#down.delete(address);
    else {
      this.#down.add(address);
      this.#endLife(address);
    }
  }

  /** Loses the packets that `rule` picks, until the returned function is called. */
  drop(rule: DropRule): () => void {
    this.#rules.add(rule);
    return () => {
      this.#rules.delete(rule);
    };
  }

  #request(
    from: Address,
    to: Address,
    method: Method,
    request: Uint8Array,
    onResponse: ((response: Uint8Array) => Promise<void> | void) | undefined,
  ): void {
    this.#send({ from, to, method, direction: "request", bytes: request }, async () => {
      const party = this.#parties.get(to);
      if (party === undefined) return;
      await party.handler(method, request, this.#replyOnce(from, to, method, onResponse), asker(from));
    });
  }

  /** Only the first answer counts. */
  #replyOnce(
    from: Address,
    to: Address,
    method: Method,
    onResponse: ((response: Uint8Array) => Promise<void> | void) | undefined,
  ): Reply {
    const life = this.#lifeOf(to);
    const asker = this.#lifeOf(from);
    let answered = false;
    return (bytes) => {
      if (answered || onResponse === undefined) return;
      answered = true;
      // Who died since it was asked answers nothing, and who died since it asked hears nothing.
      if (this.#lifeOf(to) !== life || this.#lifeOf(from) !== asker) return;
      this.#send({ from: to, to: from, method, direction: "response", bytes }, () => onResponse(bytes));
    };
  }

  #send(packet: Packet, deliver: () => Promise<void> | void): void {
    if (!this.isUp(packet.from) || [...this.#rules].some((rule) => rule(packet))) return;
    const sender = this.#lifeOf(packet.from);
    const receiver = this.#lifeOf(packet.to);
    const label = `${packet.method} ${packet.direction} ${packet.from} > ${packet.to}`;
    this.#clock.at(this.#clock.now() + this.#delay(packet), label, () => {
      const alive = this.#lifeOf(packet.from) === sender && this.#lifeOf(packet.to) === receiver;
      return alive && this.isUp(packet.to) ? deliver() : undefined;
    });
  }

  /** Drawn from who sends to whom and when, so that a resumed run draws what it would have drawn. */
  #delay({ from, to, method, direction }: Packet): number {
    const { minMs, maxMs } = this.#latency;
    if (maxMs <= minMs) return minMs;
    const now = this.#clock.now();
    this.#sentAtOnce = now === this.#lastSent ? this.#sentAtOnce + 1 : 0;
    this.#lastSent = now;
    const draw = mixed(this.#salt, `${from} ${to} ${method} ${direction} ${now} ${this.#sentAtOnce}`);
    return minMs + (draw % (maxMs - minMs + 1));
  }

  #lifeOf(address: Address): number {
    return this.#lives.get(address) ?? 0;
  }

  #endLife(address: Address): void {
    this.#lives.set(address, this.#lifeOf(address) + 1);
  }
}
