import { VeilgridError, type Period } from "@veilgrid/protocol";

/** How the control center sets a period's price (PROTOCOL section 4, Dynamic pricing). Prices are micro-units per kWh. */
export interface PricePolicy {
  /**
   * The price of a region's period, which may be zero or negative. `consumptionWh` is the region's released sum;
   * undefined where nothing was released: then it is the policy's fallback, as `describe` states it.
   * @throws VeilgridError `price-missing` where the policy has none.
   */
  price(region: number, period: Period, consumptionWh: bigint | undefined): bigint;
  /** @throws VeilgridError `price-missing`, naming the first of `count` periods from `first` that has no price. */
  covers(first: Period, count: number): void;
  /** What a customer is told, its fallback included. */
  describe(): string;
  /** SHA-256 in hex of the file that it comes from, if it comes from one. */
  readonly sha256?: string;
}

/** A policy text that cannot be read. */
export function badPolicy(policy: string, reason: string): VeilgridError {
  return new VeilgridError("bad-policy", `the price policy "${policy}": ${reason}`, {
    facts: { policy, reason },
    blame: "caller",
  });
}

/** A whole number of micro-units that fits the ledger's int64. @throws VeilgridError `bad-policy`. */
export function wholeMicro(policy: string, text: string): bigint {
  if (!/^[+-]?\d{1,18}$/.test(text)) throw badPolicy(policy, `"${text}" is not a whole number of micro-units`);
  return BigInt(text);
}

/** The same price for every period. */
export class FlatPolicy implements PricePolicy {
  readonly #price: bigint;

  constructor(price: bigint) {
    this.#price = price;
  }

  price(): bigint {
    return this.#price;
  }

  covers(): void {
    // Every period has the price.
  }

  describe(): string {
    return `${this.#price} micro-units per kWh in every period, measured or not`;
  }
}
