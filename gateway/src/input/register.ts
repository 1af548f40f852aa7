import { wholeAndRest } from "./column.js";

/**
 * A load register: the running sum of what was used, floored to whole Wh (towards minus infinity). What a period
 * shows is the difference of two such readings, so that the fraction carries over instead of being lost.
 */
export class Register {
  #fraction = 0;

  /** Adds micro-watt-hours (a safe integer, either sign) and says by how many whole Wh the register moved. */
  add(micro: number): number {
    const [whole, rest] = wholeAndRest(this.#fraction + micro);
    this.#fraction = rest;
    return whole;
  }
}
