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
  /** By region: up to where nothing more is acked, and up to where that is on disk. */
  readonly #marks = new Map<number, Period>();
  readonly #kept = new Map<number, Period>();
  #timer: Timer | undefined;
  #isStopped = false;
  #isArming = false;
  #isAsked = false;

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
    this.#isStopped = false;
    for (const region of await this.#view.regions()) {
      const stored = this.#store.get(storeKey.frozen(region));
      if (stored !== undefined) {
        this.#raise(region, decodeMark(stored));
        this.#kept.set(region, decodeMark(stored));
      }
      const { lastReadings } = await this.#view.head(region);
      if (lastReadings !== undefined) this.#raise(region, lastReadings);
    }
    await this.arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Whether nothing more of a period is acked. */
  isFrozen(region: number, period: Period): boolean {
    return isUpTo(this.#marks.get(region), period);
  }

  /** Whether that is on disk, so that the period may be voted on: no later life of this DA acks anything of it either. */
  isKept(region: number, period: Period): boolean {
    return isUpTo(this.#kept.get(region), period);
  }

  /** A committed period is frozen whatever this DA's clock says. What to change on disk. */
  committed(region: number, period: Period): Change[] {
    if (this.isFrozen(region, period)) return [];
    this.#raise(region, period);
    // Nobody votes on it any more, so that it need not be on disk first.
    this.#kept.set(region, period);
    return [{ key: storeKey.frozen(region), value: encodeMark(period) }];
  }

  /** Freezes what is due and sets the timer for what comes next: at start, after an epoch, after itself. */
  async arm(): Promise<void> {
    this.#isAsked = true;
    // Who is at it looks once more: two at a time would each set a timer by what it knew when it began.
    if (this.#isArming) return;
    this.#isArming = true;
    const due = new Set<number>();
    try {
      while (this.#isAsked) {
        this.#isAsked = false;
        for (const region of await this.#freezeDue()) due.add(region);
      }
    } finally {
      this.#isArming = false;
    }
    if (due.size > 0) await this.#onFrozen([...due]);
  }

  /** @returns the regions of which something more is frozen, on disk. */
  async #freezeDue(): Promise<readonly number[]> {
    this.#cancel();
    let next = Infinity;
    const due: number[] = [];
    for (const region of await this.#view.regions()) {
      next = Math.min(next, await this.#advance(region));
      const mark = this.#marks.get(region);
      if (mark !== undefined && !this.isKept(region, mark)) due.push(region);
    }
    await this.#persist(due);
    if (next < Infinity && !this.#isStopped) this.#timer = this.#clock.at(next, "freeze", () => this.arm());
    return due;
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
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
    if (regions.length === 0) return;
    const marks = regions.map((region) => [region, this.#marks.get(region) as Period] as const);
    await this.#store.write(marks.map(([region, mark]) => ({ key: storeKey.frozen(region), value: encodeMark(mark) })));
    for (const [region, mark] of marks) this.#kept.set(region, mark);
  }
}

function isUpTo(mark: Period | undefined, period: Period): boolean {
  return mark !== undefined && comparePeriods(period, mark) <= 0;
}
