/** Milliseconds that requests took, by what was asked. */
export class Latencies {
  readonly #took = new Map<string, number[]>();

  add(what: string, milliseconds: number): void {
    const all = this.#took.get(what);
    if (all === undefined) this.#took.set(what, [milliseconds]);
    else all.push(milliseconds);
  }

  /** Takes in what another span of time has. */
  join(other: Latencies): void {
    for (const [what, all] of other.#took) for (const milliseconds of all) this.add(what, milliseconds);
  }

  get count(): number {
    return [...this.#took.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** The value that a share of all requests does not exceed. */
  quantile(what: string, share: number): number {
    const all = (this.#took.get(what) ?? []).toSorted((a, b) => a - b);
    return all[Math.min(all.length - 1, Math.floor(share * all.length))] ?? NaN;
  }
}

/** How much longer a request took than normally. */
export interface Slowdown {
  /** By the clock. */
  readonly times: number;
  /** Of that what is not the machine's doing: by how much it grew against the same at the aggregator beside. */
  readonly own: number;
}

/** A quantile of what was asked, against the normal. */
export function slowdown(what: string, share: number, now: Latencies, normal: Latencies): Slowdown {
  const beside = what === "delivery" ? "time beside" : `${what} beside`;
  const times = now.quantile(what, share) / normal.quantile(what, share);
  return { times, own: times / (now.quantile(beside, share) / normal.quantile(beside, share)) };
}
