import { READING_BYTES, readingCodec, toHex, window, type Params, type Period } from "@veilgrid/protocol";
import type { MeterTransport } from "@veilgrid/meter-client";
import type { Clock } from "../ports/clock.js";
import type { Random } from "../ports/random.js";
import type { Address, Transport } from "../ports/transport.js";
import type { Fault } from "./conduct.js";
import { outcomeOf, type FleetCounts } from "./fleet-figures.js";

type Method = "reading" | "time" | "params";
type OnResponse = ((response: Uint8Array) => Promise<void> | void) | undefined;

/** What is asked in vain is asked again after so long, milliseconds of the machine. */
const SHARED_MS = 5_000;
/** How long after its window a late meter's reading arrives, at most. */
const LATENESS_MS = 60_000;

export interface TrafficOptions {
  readonly params: Params;
  readonly das: readonly Address[];
  /** Requests for readings at a time: each aggregator has its share of them, so that one that is silent holds up no other. */
  readonly inFlight: number;
  /** Milliseconds of the machine after which a request that was not answered, or not sent, gives its place to another. */
  readonly giveUpMs: number;
}

export interface TrafficModules {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly counts: FleetCounts;
  /** Milliseconds of the machine. */
  readonly machine: () => number;
}

/** What is under way for all who want it. */
interface Asked {
  /** Milliseconds of the machine. */
  readonly at: number;
  readonly waiting: OnResponse[];
}

/** What goes to one aggregator. */
interface Lane {
  /** Requests that wait, and since when, in milliseconds of the machine. */
  readonly queue: { readonly since: number; readonly go: () => void }[];
  inFlight: number;
}

/** A half, as the counts call it: its period first. Its PRID goes nowhere else. */
function nameOf({ month, k }: Period, prid: Uint8Array): string {
  return `${slotName({ month, k })}${toHex(prid)}`;
}

/** What all names of a period's halves begin with. */
export function slotName({ month, k }: Period): string {
  return `${month}/${k} `;
}

/**
 * The way of a fleet's meters to the aggregators: a bounded number of requests at a time, each meter's faults, and the
 * counts. It is a load generator's: its meters share connections, and what they ask of the time and of new versions,
 * which no meter may that is to be anonymous.
 */
export class FleetTraffic {
  readonly #options: TrafficOptions;
  readonly #modules: TrafficModules;
  readonly #lanes = new Map<Address, Lane>();
  readonly #shared = new Map<string, Asked>();
  readonly #share: number;
  #queued = 0;
  #longestQueue = 0;

  constructor(options: TrafficOptions, modules: TrafficModules) {
    this.#options = options;
    this.#modules = modules;
    this.#share = Math.max(1, Math.floor(options.inFlight / Math.max(1, options.das.length)));
  }

  /** The most requests that waited for their turn at once. */
  get longestQueue(): number {
    return this.#longestQueue;
  }

  /** The way of one meter. @param name draws are its own by it. */
  of(name: string, fault: Fault | undefined): MeterTransport {
    const firsts = new Map<string, string>();
    return {
      request: (to, method, request, onResponse) => {
        if (method !== "reading") this.#ask(to, method, request, onResponse);
        else this.#read(to, request, onResponse, { name, fault, firsts });
      },
    };
  }

  #ask(to: Address, method: Method, request: Uint8Array, onResponse: OnResponse): void {
    const { transport, machine } = this.#modules;
    const key = `${to} ${method} ${toHex(request)}`;
    const underWay = this.#shared.get(key);
    if (underWay !== undefined && machine() - underWay.at < SHARED_MS) {
      underWay.waiting.push(onResponse);
      return;
    }
    const asked: Asked = { at: machine(), waiting: [onResponse] };
    this.#shared.set(key, asked);
    transport.request(to, method, request, async (response) => {
      if (this.#shared.get(key) === asked) this.#shared.delete(key);
      for (const each of asked.waiting.splice(0)) await each?.(response);
    });
  }

  #read(
    to: Address,
    request: Uint8Array,
    onResponse: OnResponse,
    meter: { readonly name: string; readonly fault: Fault | undefined; readonly firsts: Map<string, string> },
  ): void {
    const { period, prid } = readingCodec.decode(request.subarray(0, READING_BYTES));
    const half = nameOf(period, prid);
    const { fault } = meter;
    if (fault === "half" && !isFirst(meter.firsts, period, half)) return;
    if (fault === "duplicate") this.#send(this.#another(to, meter.name, period), half, request, undefined);
    if (fault !== "late") this.#send(to, half, request, onResponse);
    else {
      this.#hold(meter.name, period, half, () => {
        this.#send(to, half, request, onResponse);
      });
    }
  }

  /** A store-and-forward radio that has no connection before the window is over. */
  #hold(name: string, period: Period, half: string, send: () => void): void {
    const { clock, random } = this.#modules;
    const late = 1 + random.below(LATENESS_MS, "late", name, half);
    clock.at(window(period, this.#options.params).closes + late, "late reading", send);
  }

  #another(than: Address, name: string, { month, k }: Period): Address {
    const others = this.#options.das.filter((da) => da !== than);
    const at = this.#modules.random.below(Math.max(1, others.length), "duplicate", name, month, k);
    return others[at] ?? than;
  }

  #send(to: Address, half: string, request: Uint8Array, onResponse: OnResponse): void {
    const lane = this.#lanes.get(to) ?? { queue: [], inFlight: 0 };
    this.#lanes.set(to, lane);
    const since = this.#modules.machine();
    lane.queue.push({
      since,
      go: () => {
        this.#go(lane, to, half, request, onResponse);
      },
    });
    this.#queued += 1;
    this.#longestQueue = Math.max(this.#longestQueue, this.#queued);
    this.#next(lane);
  }

  #next(lane: Lane): void {
    while (lane.inFlight < this.#share) {
      const next = lane.queue.shift();
      if (next === undefined) return;
      this.#queued -= 1;
      // Its meter has gone on to another aggregator long ago.
      if (this.#modules.machine() - next.since > this.#options.giveUpMs) continue;
      lane.inFlight += 1;
      next.go();
    }
  }

  #go(lane: Lane, to: Address, half: string, request: Uint8Array, onResponse: OnResponse): void {
    const { transport, counts, machine } = this.#modules;
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      lane.inFlight -= 1;
      this.#next(lane);
    };
    const timer = setTimeout(over, this.#options.giveUpMs);
    timer.unref();
    counts.ask(half, machine());
    transport.request(to, "reading", request, async (response) => {
      over();
      counts.hear(half, outcomeOf(response), machine());
      await onResponse?.(response);
    });
  }
}

/** Whether it is the period's first half that leaves, the first time or again. */
function isFirst(firsts: Map<string, string>, period: Period, half: string): boolean {
  const slot = slotName(period);
  const first = firsts.get(slot);
  if (first !== undefined) return first === half;
  firsts.clear();
  firsts.set(slot, half);
  return true;
}
