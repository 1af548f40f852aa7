import {
  addPeriods,
  comparePeriods,
  nextPeriod,
  periodAt,
  periodStart,
  window,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { Enrolment, MeterChange } from "../ports/keystore.js";
import type { Random } from "../ports/random.js";
import type { ChangePreview, ChangeRequest, Standing } from "./change-request.js";
import { decide, decidedBefore } from "./changes.js";
import { Deliveries } from "./deliveries.js";
import type { Desk } from "./desk.js";
import { endsElimination } from "./eliminations.js";
import type { EpochBook } from "./epoch-book.js";
import type { Epochs } from "./epochs.js";
import { meterName } from "./names.js";

const KEY_BYTES = 32;

/** A change that is kept. */
export interface ChangeResult {
  readonly change: MeterChange;
  /** Absent where the same change was kept before. */
  readonly preview: ChangePreview | undefined;
}

/** A meter as KGCBP's operator sees it. */
export interface MeterStanding {
  readonly meter: string;
  /** Ascending by `from`. */
  readonly supplies: readonly Enrolment[];
  readonly changes: readonly MeterChange[];
}

/** What the changes of meters work with. */
export interface ChangeModules {
  readonly desk: Desk;
  readonly book: EpochBook;
  readonly epochs: Epochs;
  /** Where fresh month keys come from. */
  readonly random: Random;
  /** Where the ciphertexts' randomness comes from in a run with a seed; otherwise it is the platform's. */
  readonly seed: Random | undefined;
}

/** Adds, removes, replaces, moves, sells and re-keys meters, each from the next epoch not yet sent. */
export class ChangeDesk {
  readonly #desk: Desk;
  readonly #book: EpochBook;
  readonly #epochs: Epochs;
  readonly #random: Random;
  readonly #seed: Random | undefined;
  readonly #deliveries: Deliveries;

  constructor({ desk, book, epochs, random, seed }: ChangeModules) {
    this.#desk = desk;
    this.#book = book;
    this.#epochs = epochs;
    this.#random = random;
    this.#seed = seed;
    this.#deliveries = new Deliveries(desk);
  }

  /** From when a change would hold; nothing changes. @throws VeilgridError as `decide`. */
  async preview(request: ChangeRequest): Promise<ChangePreview> {
    return this.#shown(decide(request, await this.#standing(request.meter)).preview);
  }

  /** Refuses what `change` would refuse; nothing changes. @throws VeilgridError as `decide`. */
  async require(request: ChangeRequest): Promise<void> {
    const standing = await this.#standing(request.meter);
    if (decidedBefore(request, standing) === undefined) decide(request, standing);
  }

  /**
   * Makes a change, durably; the same again changes nothing.
   * @throws VeilgridError as `decide`; then nothing changed.
   */
  async change(request: ChangeRequest): Promise<ChangeResult> {
    const result = await this.#desk.register.exclusively(() => this.#change(request));
    for (const region of result.preview?.regions ?? []) await this.#epochs.onChange(region);
    return result;
  }

  /**
   * What a changed meter is told, encrypted to its device: Delivery ‖ sig.
   * @throws VeilgridError `nothing-to-deliver`, `key-missing`.
   */
  delivery(change: MeterChange): Promise<Uint8Array> {
    const seed = this.#seed;
    if (seed === undefined) return this.#deliveries.of(change);
    const { meter, serial } = change;
    return this.#deliveries.of(change, (count, draw) => seed.bytes(count, "delivery", meterName(meter), serial, draw));
  }

  async #change(request: ChangeRequest): Promise<ChangeResult> {
    const standing = await this.#standing(request.meter);
    const before = decidedBefore(request, standing);
    if (before !== undefined) return { change: before, preview: undefined };
    const { change: decided, begins, ends, preview } = decide(request, standing);
    const shown = this.#shown(preview);
    const change = silenced(decided, firstOpen(this.#desk.clock.now(), await this.#desk.view.currentParams()));
    const { meter, serial, kind, from } = change;
    const begin = begins && {
      enrolment: begins,
      monthKey: this.#random.bytes(KEY_BYTES, "fresh-key", meterName(meter), serial),
    };
    await this.#desk.register.change({ change, begins: begin, ends });
    this.#desk.log("info", "meter-changed", { kind, serial, month: from.month, k: from.k });
    return { change, preview: shown };
  }

  /** A preview that says, too, what becomes of an elimination. */
  #shown(preview: ChangePreview): ChangePreview {
    const { kind, meter, from } = preview;
    const last = this.#desk.eliminations.of(meter).at(-1);
    if (last === undefined || last.to !== undefined || kind === "remove") return preview;
    const ends = endsElimination(kind) && comparePeriods(last.from, from) <= 0;
    return { ...preview, elimination: ends ? "ends" : "goes-on" };
  }

  /** All meters that ever were enrolled. */
  list(): MeterStanding[] {
    const { register } = this.#desk;
    return register.meters().map((meter) => ({
      meter,
      supplies: register.suppliesAt(meter),
      changes: register.changesOf(meter),
    }));
  }

  async #standing(meter: string): Promise<Standing> {
    const { register, view, clock } = this.#desk;
    const { periodSeconds } = await view.currentParams();
    const next = firstFrom(clock.now(), periodSeconds);
    const [supplies, changes] = [register.suppliesAt(meter), register.changesOf(meter)];
    const told = changes.findLast(({ delivery }) => delivery !== undefined)?.delivery;
    return {
      periodSeconds,
      next,
      supplies,
      changes,
      device: told?.device ?? supplies.at(-1)?.device,
      sent: await this.#book.sent(next),
      knows: (bid) => register.knows(bid),
    };
  }
}

/** The first period whose window is not over. */
function firstOpen(now: number, params: Params): Period {
  let open = periodAt(now, params.periodSeconds);
  for (;;) {
    const before = addPeriods(open, -1, params.periodSeconds);
    if (window(before, params).closes <= now) return open;
    open = before;
  }
}

/** A change after which a meter that had keys must say nothing until it has others: from when that is kept with it. */
function silenced(change: MeterChange, open: Period): MeterChange {
  const { kind, delivery } = change;
  if (kind === "add" || delivery === undefined || delivery.keep) return change;
  return { ...change, delivery: { ...delivery, silentFrom: open } };
}

/** The first period that begins at `now` or later. */
function firstFrom(now: number, periodSeconds: number): Period {
  const period = periodAt(now, periodSeconds);
  return periodStart(period, periodSeconds) === now ? period : nextPeriod(period, periodSeconds);
}
