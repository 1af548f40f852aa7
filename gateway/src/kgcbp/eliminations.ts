import { Reader, VeilgridError, Writer, comparePeriods, type Period } from "@veilgrid/protocol";
import type { ChangeKind, MeterChange } from "../ports/keystore.js";
import type { Store } from "../ports/store.js";
import { meterName, periodName } from "./names.js";

/** Periods in which a meter counts in no epoch: from <= period < to; undefined where nothing ends it yet. */
export interface Elimination {
  readonly from: Period;
  readonly to: Period | undefined;
}

/** As it was asked for. */
interface Kept extends Elimination {
  /** The serial number of the meter's newest change when it was: what came later may end it. */
  readonly serial: number;
}

/** A meter's changes, ascending by serial number. */
type ChangesOf = (meter: string) => readonly MeterChange[];

/**
 * "A moved or sold meter stays eliminated …. A new device or a new key ends the elimination from when that change holds"
 * (PROTOCOL section 4, Finding faulty meters).
 */
const ENDING: readonly ChangeKind[] = ["add", "replace", "rekey"];

/** Whether a change of a meter ends its elimination. */
export function endsElimination(kind: ChangeKind): boolean {
  return ENDING.includes(kind);
}

function spanKey(name: string, from: Period): string {
  return `eliminated/${name}/${periodName(from)}`;
}

function encodeSpan({ serial, to }: Kept): Uint8Array {
  const writer = new Writer().u32(serial);
  return to === undefined ? writer.bytes() : writer.u32(to.month).u16(to.k).bytes();
}

function decodeSpan(from: Period, bytes: Uint8Array): Kept {
  const reader = new Reader(bytes, "elimination");
  const serial = reader.u32();
  const to = reader.left === 0 ? undefined : { month: reader.u32(), k: reader.u16() };
  reader.end();
  return { from, to, serial };
}

function refused(code: string, message: string, meter: string): VeilgridError {
  return new VeilgridError(code, message, { facts: { meter }, blame: "caller" });
}

/** Which meters KGCBP leaves out of its epochs, and when: "it eliminates, reinstates" [4.2]. */
export class Eliminations {
  readonly #store: Store;
  readonly #changesOf: ChangesOf;
  /** By the meter's name in the store; ascending. */
  readonly #spans = new Map<string, Kept[]>();

  private constructor(store: Store, changesOf: ChangesOf) {
    this.#store = store;
    this.#changesOf = changesOf;
  }

  static async open(store: Store, changesOf: ChangesOf): Promise<Eliminations> {
    const eliminations = new Eliminations(store, changesOf);
    for (const { key, value } of await store.range("eliminated/")) {
      const [, name, month, k] = key.split("/");
      const span = decodeSpan({ month: Number(month), k: Number(k) }, value);
      eliminations.#spans.set(name ?? "", [...(eliminations.#spans.get(name ?? "") ?? []), span]);
    }
    return eliminations;
  }

  #kept(meter: string): readonly Kept[] {
    return this.#spans.get(meterName(meter)) ?? [];
  }

  /** A meter's eliminations, ascending; one that a change of the meter ends before it holds is none. */
  of(meter: string): readonly Elimination[] {
    return this.#kept(meter)
      .map(({ from, to, serial }) => ({ from, to: earlier(to, this.#ended(meter, from, serial)) }))
      .filter(({ from, to }) => to === undefined || comparePeriods(from, to) < 0);
  }

  /** The first period from which a change that came later ends an elimination. */
  #ended(meter: string, since: Period, known: number): Period | undefined {
    return this.#changesOf(meter)
      .filter(({ serial, kind }) => serial > known && endsElimination(kind))
      .map(({ from }) => from)
      .filter((from) => comparePeriods(from, since) >= 0)
      .sort(comparePeriods)[0];
  }

  /** Whether a meter is left out at a period. */
  covers({ meter }: { readonly meter: string }, at: Period): boolean {
    return this.of(meter).some(
      ({ from, to }) => comparePeriods(from, at) <= 0 && (to === undefined || comparePeriods(at, to) < 0),
    );
  }

  /**
   * Whether a meter is, or is not, eliminated for good: what a reinstatement, or an elimination, needs.
   * @throws VeilgridError `already-eliminated`, `not-eliminated`.
   */
  require(meter: string, eliminated: boolean): void {
    const last = this.of(meter).at(-1);
    const open = last !== undefined && last.to === undefined;
    if (open && !eliminated) throw refused("already-eliminated", "the meter is eliminated already", meter);
    if (!open && eliminated) throw refused("not-eliminated", "the meter is not eliminated", meter);
  }

  /** Leaves a meter out from a period on. @throws VeilgridError `already-eliminated`. */
  async eliminate(meter: string, from: Period): Promise<void> {
    this.require(meter, false);
    const last = this.of(meter).at(-1);
    const serial = this.#changesOf(meter).at(-1)?.serial ?? 0;
    // A reinstatement that has not yet taken effect is taken back.
    const isTakenBack = last?.to !== undefined && comparePeriods(from, last.to) <= 0;
    await this.#put(meter, { from: isTakenBack ? last.from : from, to: undefined, serial });
  }

  /** Lets a meter count again from a period on. @throws VeilgridError `not-eliminated`. */
  async reinstate(meter: string, to: Period): Promise<void> {
    this.require(meter, true);
    const last = this.#kept(meter).at(-1) as Kept;
    // An elimination that has not yet taken effect leaves no trace.
    if (comparePeriods(to, last.from) <= 0) await this.#remove(meter, last);
    else await this.#put(meter, { ...last, to });
  }

  async #put(meter: string, span: Kept): Promise<void> {
    await this.#store.write([{ key: spanKey(meterName(meter), span.from), value: encodeSpan(span) }]);
    const others = this.#kept(meter).filter(({ from }) => comparePeriods(from, span.from) !== 0);
    const all = [...others, span].sort((a, b) => comparePeriods(a.from, b.from));
    this.#spans.set(meterName(meter), all);
  }

  async #remove(meter: string, span: Kept): Promise<void> {
    await this.#store.write([{ key: spanKey(meterName(meter), span.from), value: undefined }]);
    this.#spans.set(
      meterName(meter),
      this.#kept(meter).filter((one) => one !== span),
    );
  }
}

function earlier(a: Period | undefined, b: Period | undefined): Period | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return comparePeriods(a, b) < 0 ? a : b;
}
