import { isIPv6 } from "node:net";
import { Bucket } from "./bucket.js";
import type { Limits } from "./limits.js";

/** A caller, and what it is taking. */
export class Caller {
  readonly name: string;
  /** Calls that are under way. */
  calls = 0;
  /** Connections that are open. */
  connections = 0;
  readonly callRate: Bucket;
  readonly connectionRate: Bucket;

  constructor(name: string, limits: Limits, now: number) {
    this.name = name;
    this.callRate = new Bucket({ perSecond: limits.callsPerSecond, burst: limits.callBurst }, now);
    this.connectionRate = new Bucket({ perSecond: limits.connectionsPerSecond, burst: limits.connectionBurst }, now);
  }

  /** Whether nothing of it is left that a new one would not have. */
  isGone(now: number): boolean {
    const isQuiet = this.calls === 0 && this.connections === 0;
    return isQuiet && this.callRate.isFull(now) && this.connectionRate.isFull(now);
  }
}

/** The network that an address belongs to: an IPv4 address itself, the first 64 bits of an IPv6 one. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = (address.split("%")[0] as string).split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => "0");
  return [...first, ...zeros, ...last].slice(0, 4).join(":");
}

/** All callers of a server that take something, or did just now. */
export class Callers {
  readonly #limits: Limits;
  readonly #callers = new Map<string, Caller>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#callers.size;
  }

  get(name: string, now: number): Caller {
    let caller = this.#callers.get(name);
    if (caller === undefined) this.#callers.set(name, (caller = new Caller(name, this.#limits, now)));
    return caller;
  }

  /** Forgets those that are gone, so that the table does not grow with all who ever called. */
  sweep(now: number): void {
    for (const [name, caller] of this.#callers) if (caller.isGone(now)) this.#callers.delete(name);
  }
}
