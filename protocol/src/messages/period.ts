/** A billing period: `month` is 12*year + (month-1), `k` counts the month's periods from 0 (PROTOCOL section 7). */
export interface Period {
  readonly month: number;
  readonly k: number;
}
