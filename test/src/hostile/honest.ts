import { MeterTransport, encodeDeliveryWish, silent, type Method } from "@veilgrid/gateway";
import { daAddress, type Member } from "@veilgrid/protocol";
import { Latencies } from "./latencies.js";
import { every } from "./pace.js";
import type { Papers } from "./papers.js";

const DEADLINE_MS = 10_000;
/** How often each is asked for, milliseconds. */
const EVERY_MS = { time: 250, reading: 330, delivery: 500 } as const;

/** The honest requests of a span of time. */
export interface Heard {
  /** Milliseconds of each that was answered: "time" of who is attacked, "time beside" of who is not. */
  readonly latencies: Latencies;
  /** How many were not answered as they should be. */
  readonly lost: number;
}

/**
 * Meters that do what meters do, from 127.0.0.1: ask the time, send readings that nobody has sent before, ask KGCBP for
 * keys; each on a connection of its own, at their own pace, whether the last one was answered or not. At the same moment
 * they ask the aggregator that is attacked and one that is not: what both take longer is the machine's doing.
 */
export class HonestMeters {
  readonly #transport: MeterTransport;
  readonly #readings: Uint8Array[];
  readonly #attacked: string;
  readonly #beside: string;

  constructor(papers: Papers, readings: Uint8Array[]) {
    const { places } = papers.overview;
    this.#readings = readings;
    [this.#attacked, this.#beside] = papers.params.da.map(daAddress) as [string, string];
    const endpoints = new Map(
      ([["kgcbp", "kgcbp", places.kgcbp.meters]] as [string, string, number][])
        .concat(places.das.map(({ meters }, i) => [daAddress(papers.params.da[i] as Member), `da${i}`, meters]))
        .map(([address, name, port]) => {
          return [address, { target: `127.0.0.1:${port}`, authority: papers.authority(name) }] as const;
        }),
    );
    const deadlines = { time: DEADLINE_MS, reading: DEADLINE_MS, delivery: DEADLINE_MS };
    this.#transport = new MeterTransport({ endpoints: () => endpoints, deadlines }, { log: silent });
  }

  /** Goes on until it is told to stop; every request is answered or lost then. */
  async ask(signal: AbortSignal): Promise<Heard> {
    const latencies = new Latencies();
    let lost = 0;
    const one = async (what: string, to: string, method: Method, request: Uint8Array): Promise<void> => {
      const milliseconds = await this.#one(to, method, request);
      if (milliseconds === undefined) lost += 1;
      else latencies.add(what, milliseconds);
    };
    const both = async (method: Method, request: () => Uint8Array): Promise<void> => {
      await Promise.all([
        one(method, this.#attacked, method, request()),
        one(`${method} beside`, this.#beside, method, request()),
      ]);
    };
    await Promise.all([
      every(EVERY_MS.time, signal, () => both("time", () => new Uint8Array())),
      every(EVERY_MS.reading, signal, () => both("reading", () => this.#reading())),
      every(EVERY_MS.delivery, signal, () =>
        one("delivery", "kgcbp", "delivery", encodeDeliveryWish({ device: "age1honest", serial: 0 })),
      ),
    ]);
    return { latencies, lost };
  }

  close(): void {
    this.#transport.close();
  }

  /** Milliseconds until the right answer; undefined without one. */
  #one(to: string, method: Method, request: Uint8Array): Promise<number | undefined> {
    const begun = performance.now();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, DEADLINE_MS, undefined);
      this.#transport.request(to, method, request, (response) => {
        clearTimeout(timer);
        resolve(isRight(method, response) ? performance.now() - begun : undefined);
      });
    });
  }

  #reading(): Uint8Array {
    const reading = this.#readings.pop();
    if (reading === undefined) throw new Error("the consortium has too few meters");
    return reading;
  }
}

/** A clock, a receipt (tag 1), and nothing new for a device. */
function isRight(method: Method, response: Uint8Array): boolean {
  if (method === "time") return response.length === 8;
  return method === "reading" ? response[0] === 1 : response.length === 0;
}
