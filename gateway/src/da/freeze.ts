import { Reader, Writer, comparePeriods, window, type LedgerView, type Period } from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";
import type { Change, Store } from "../ports/store.js";
import type { Epochs } from "./epochs.js";
import { storeKey } from "./names.js";

function encodeMark({ month, k }: Period): Uint8Array {
  return new Writer().u32(month).u16(k).bytes();
}

function decodeMark(bytes: Uint8Array): Period {
  const reader = new Reader(bytes, "frozen mark");
  const mark = { month: reader.u32(), k: reader.u16() };
  reader.end();
  return mark;
}

/**
 * Freezing (PROTOCOL section 3): "A DA accepts from meters until its own clock reaches the window's end and acks what
 * other DAs forward for `forwardSeconds` more; then the period is frozen (on disk): it acks nothing more of it, and only
 * then may it vote on it." A region's periods freeze in their order, so one mark on disk says it for all up to it.
 */
export class Freeze {
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #view: LedgerView;
  readonly #epochs: Epochs;
  readonly #onFrozen: (regions: readonly number[]) => Promise<void>;
  readonly #marks = new Map<number, Period>();
  #timer: Timer | undefined;

  constructor(
    options: { readonly onFrozen: (regions: readonly number[]) => Promise<void> },
    modules: { readonly clock: Clock; readonly store: Store; readonly view: LedgerView; readonly epochs: Epochs },
  ) {
    this.#onFrozen = options.onFrozen;
    this.#clock = modules.clock;
    this.#store = modules.store;
    this.#view = modules.view;
    this.#epochs = modules.epochs;
  }

  /** Reads the marks back and freezes what fell due meanwhile. */
  async start(): Promise<void> {
    for (const region of await this.#view.regions()) {
      const stored = this.#store.get(storeKey.frozen(region));
      if (stored !== undefined) this.#raise(region, decodeMark(stored));
      const { lastReadings } = await this.#view.head(region);
      if (lastReadings !== undefined) this.#raise(region, lastReadings);
    }
    await this.arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  isFrozen(region: number, period: Period): boolean {
    const mark = this.#marks.get(region);
    return mark !== undefined && comparePeriods(period, mark) <= 0;
  }

  /** A committed period is frozen whatever this DA's clock says. What to change on disk. */
  committed(region: number, period: Period): Change[] {
    if (this.isFrozen(region, period)) return [];
    this.#raise(region, period);
    return [{ key: storeKey.frozen(region), value: encodeMark(period) }];
  }

  /** Freezes what is due and sets the timer for what comes next: at start, after an epoch, after itself. */
  async arm(): Promise<void> {
    this.stop();
    const due: number[] = [];
    let next = Infinity;
    for (const region of await this.#view.regions()) {
      const before = this.#marks.get(region);
      next = Math.min(next, await this.#advance(region));
      if (this.#marks.get(region) !== before) due.push(region);
    }
    await this.#persist(due);
    this.stop();
    if (next < Infinity) this.#timer = this.#clock.at(next, "freeze", () => this.arm());
    if (due.length > 0) await this.#onFrozen(due);
  }

  /** Raises a region's mark over all periods that are due; says when its next one is (Unix milliseconds). */
  async #advance(region: number): Promise<number> {
    for (;;) {
      const next = await this.#epochs.nextCovered(region, this.#marks.get(region));
      if (next === undefined) return Infinity;
      const { freezes } = window(next, await this.#epochs.paramsOf(region, next));
      if (freezes > this.#clock.now()) return freezes;
      this.#raise(region, next);
    }
  }

  #raise(region: number, period: Period): void {
    const mark = this.#marks.get(region);
    if (mark === undefined || comparePeriods(mark, period) < 0) this.#marks.set(region, period);
  }

  async #persist(regions: readonly number[]): Promise<void> {
    await this.#store.write(
      regions.map((region) => ({
        key: storeKey.frozen(region),
        value: encodeMark(this.#marks.get(region) as Period),
      })),
    );
  }
}
