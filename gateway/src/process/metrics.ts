import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** Names of labels: none is a PRID, a BID, a meter or a customer. */
export type LabelName =
  "answer" | "side" | "method" | "outcome" | "region" | "kind" | "role" | "vote" | "call" | "peer" | "status" | "level";

/** What is the same in every line, such as { role: "da", msp: "DA0MSP" }. */
export type BaseLabels = Readonly<Record<string, string>>;

/** From half a millisecond to half a minute. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A process's numbers in Prometheus' format, its event loop's lag, memory and CPU time among them. */
export class ProcessMetrics {
  readonly #registry = new Registry();

  constructor(base: BaseLabels = {}) {
    this.#registry.setDefaultLabels(base);
    collectDefaultMetrics({ register: this.#registry });
  }

  counter<T extends LabelName>(name: string, help: string, labelNames: readonly T[] = []): Counter<T> {
    return new Counter({ name: `veilgrid_${name}`, help, labelNames, registers: [this.#registry] });
  }

  /** @param collect called for each page: sets the gauge. */
  gauge<T extends LabelName>(
    name: string,
    help: string,
    labelNames: readonly T[] = [],
    collect?: (gauge: Gauge<T>) => void | Promise<void>,
  ): Gauge<T> {
    const own = { name: `veilgrid_${name}`, help, labelNames, registers: [this.#registry] };
    if (collect === undefined) return new Gauge<T>(own);
    return new Gauge<T>({
      ...own,
      collect() {
        return collect(this);
      },
    });
  }

  /** Durations in seconds. */
  seconds<T extends LabelName>(name: string, help: string, labelNames: readonly T[] = []): Histogram<T> {
    return new Histogram({ name: `veilgrid_${name}`, help, labelNames, buckets: SECONDS, registers: [this.#registry] });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  readonly text = (): Promise<string> => this.#registry.metrics();
}
