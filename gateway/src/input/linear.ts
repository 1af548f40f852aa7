import { roundHalfAway, type Period } from "@veilgrid/protocol";
import { badPolicy, wholeMicro, type PricePolicy } from "./policy.js";

const WH_PER_KWH = 1000n;

/**
 * Linear in the region's demand: `BASE,SLOPE[,MIN,MAX]`, all in micro-units. The price is BASE + SLOPE for each kWh
 * that the region used in the period, to the nearest micro-unit (halves away from zero), then held between MIN and
 * MAX. Without a measured sum it is BASE, held likewise.
 */
export class LinearPolicy implements PricePolicy {
  readonly #base: bigint;
  readonly #slope: bigint;
  readonly #bounds: readonly [low: bigint, high: bigint] | undefined;

  /** @throws VeilgridError `bad-policy`. */
  constructor(text: string) {
    const policy = `linear:${text}`;
    const numbers = text.split(",").map((part) => wholeMicro(policy, part.trim()));
    const [base, slope, low, high] = numbers;
    if (base === undefined || slope === undefined || numbers.length === 3 || numbers.length > 4) {
      throw badPolicy(policy, "it is not BASE,SLOPE or BASE,SLOPE,MIN,MAX");
    }
    this.#base = base;
    this.#slope = slope;
    this.#bounds = low === undefined || high === undefined ? undefined : [low, high];
    if (low !== undefined && high !== undefined && low > high) throw badPolicy(policy, `${low} is above ${high}`);
  }

  price(_region: number, _period: Period, consumptionWh: bigint | undefined): bigint {
    return this.#held(this.#base + roundHalfAway(this.#slope * (consumptionWh ?? 0n), WH_PER_KWH));
  }

  covers(): void {
    // Every period has a price, measured or not.
  }

  describe(): string {
    const bounds = this.#bounds === undefined ? "" : `, at least ${this.#bounds[0]} and at most ${this.#bounds[1]}`;
    const fallback = this.#held(this.#base);
    return (
      `${this.#base} micro-units per kWh and ${this.#slope} more for each kWh that the region uses${bounds}; ` +
      `${fallback} where its sum is not measured`
    );
  }

  #held(price: bigint): bigint {
    if (this.#bounds === undefined) return price;
    const [low, high] = this.#bounds;
    if (price < low) return low;
    return price > high ? high : price;
  }
}
