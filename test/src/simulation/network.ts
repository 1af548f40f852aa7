import type { Handler, Method, Transport } from "@veilgrid/gateway";
import type { Draw, Span } from "./draw.js";
import type { Life } from "./life.js";
import type { Timeline } from "./timeline.js";

/** A message on its way. */
export interface Message {
  readonly from: string;
  readonly to: string;
  readonly method: Method;
  readonly direction: "request" | "response";
  readonly bytes: Uint8Array;
  /** Of a response: what was asked. */
  readonly asked?: Uint8Array;
}

/** Who answers at an address, and in which life. */
export interface Station {
  readonly life: Life;
  readonly handle: Handler;
}

/** How the network is in a run. */
export interface NetworkModules {
  readonly timeline: Timeline;
  readonly draw: Draw;
  readonly delayMs: Span;
  /** The probability that a message is lost. */
  readonly loss: () => number;
  /** The probability that a request arrives twice. */
  readonly twice: () => number;
  /** Whether two addresses are cut off from each other now. */
  readonly isCut: (a: string, b: string) => boolean;
  /** Sees everything that is said, whether it arrives or not. */
  readonly onMessage: (message: Message) => void;
}

/**
 * A network that delays, reorders, loses and doubles messages, and falls apart into parts for a while. An answer arrives
 * once at most, as with any request over one connection.
 */
export class Network {
  readonly #modules: NetworkModules;
  readonly #stations = new Map<string, Station>();

  constructor(modules: NetworkModules) {
    this.#modules = modules;
  }

  listen(address: string, station: Station | undefined): void {
    if (station === undefined) this.#stations.delete(address);
    else this.#stations.set(address, station);
  }

  /** The transport of one life of a party. */
  transport(from: string, life: Life): Transport {
    return {
      request: (to, method, bytes, onResponse) => {
        if (!life.isAlive) return;
        let isOpen = onResponse !== undefined;
        const hear = (response: Uint8Array): Promise<void> => {
          if (!isOpen) return Promise.resolve();
          isOpen = false;
          return life.run(() => onResponse?.(response));
        };
        this.#send({ from, to, method, direction: "request", bytes }, hear);
      },
    };
  }

  #send(message: Message, hear: (response: Uint8Array) => Promise<void>): void {
    const { onMessage, draw, twice } = this.#modules;
    onMessage(message);
    const copies = draw.chance(twice()) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#carry(message, () => this.#ask(message, hear));
  }

  #ask({ from, to, method, bytes }: Message, hear: (response: Uint8Array) => Promise<void>): Promise<void> {
    const station = this.#stations.get(to);
    if (station === undefined) return Promise.resolve();
    const { life, handle } = station;
    let isAnswered = false;
    const reply = (response: Uint8Array): void => {
      if (isAnswered || !life.isAlive) return;
      isAnswered = true;
      const message: Message = { from: to, to: from, method, direction: "response", bytes: response, asked: bytes };
      this.#modules.onMessage(message);
      this.#carry(message, () => hear(response));
    };
    // A meter is anonymous; of everybody else the transport says who asks.
    const asker = from.startsWith("meter/") ? undefined : from;
    return life.run(() => handle(method, bytes.slice(), reply, asker));
  }

  #carry({ from, to, method, direction }: Message, arrive: () => Promise<void>): void {
    const { timeline, draw, delayMs, loss, isCut } = this.#modules;
    const isLost = draw.chance(loss());
    const delay = draw.within(delayMs);
    if (isLost || isCut(from, to)) return;
    timeline.at(timeline.now() + delay, `${method} ${direction} ${from} > ${to}`, () =>
      isCut(from, to) ? undefined : arrive(),
    );
  }
}
