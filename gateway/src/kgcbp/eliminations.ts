import { Reader, VeilgridError, Writer, comparePeriods, toHex, type Period } from "@veilgrid/protocol";
import type { Enrolment } from "../ports/keystore.js";
import type { Store } from "../ports/store.js";
import { enrolmentName, periodName } from "./names.js";

/** Periods in which a meter counts in no epoch: from <= period < to; undefined where nobody has reinstated it. */
export interface Elimination {
  readonly from: Period;
  readonly to: Period | undefined;
}

type EnrolmentId = Pick<Enrolment, "bid" | "from">;

function spanKey(name: string, from: Period): string {
  return `eliminated/${name}/${periodName(from)}`;
}

function encodeEnd(to: Period | undefined): Uint8Array {
  return to === undefined ? new Uint8Array() : new Writer().u32(to.month).u16(to.k).bytes();
}

function decodeEnd(bytes: Uint8Array): Period | undefined {
  if (bytes.length === 0) return undefined;
  const reader = new Reader(bytes, "end of an elimination");
  const to = { month: reader.u32(), k: reader.u16() };
  reader.end();
  return to;
}

function parsePeriod(month: string | undefined, k: string | undefined): Period {
  return { month: Number(month), k: Number(k) };
}

function refused(code: string, message: string, { bid }: EnrolmentId): VeilgridError {
  return new VeilgridError(code, message, { facts: { bid: toHex(bid) }, blame: "caller" });
}

/** Which enrolments KGCBP leaves out of its epochs, and when: "it eliminates, reinstates" [4.2]. */
export class Eliminations {
  readonly #store: Store;
  /** By enrolment; ascending. */
  readonly #spans = new Map<string, Elimination[]>();

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(store: Store): Promise<Eliminations> {
    const eliminations = new Eliminations(store);
    for (const { key, value } of await store.range("eliminated/")) {
      const [, bid, month, k, fromMonth, fromK] = key.split("/");
      const name = `${bid ?? ""}/${month ?? ""}/${k ?? ""}`;
      eliminations.#of(name).push({ from: parsePeriod(fromMonth, fromK), to: decodeEnd(value) });
    }
    return eliminations;
  }

  #of(name: string): Elimination[] {
    const known = this.#spans.get(name) ?? [];
    this.#spans.set(name, known);
    return known;
  }

  /** An enrolment's eliminations, ascending. */
  of(id: EnrolmentId): readonly Elimination[] {
    return this.#spans.get(enrolmentName(id)) ?? [];
  }

  /** Whether an enrolment is left out at a period. */
  covers(id: EnrolmentId, at: Period): boolean {
    return this.of(id).some(
      ({ from, to }) => comparePeriods(from, at) <= 0 && (to === undefined || comparePeriods(at, to) < 0),
    );
  }

  /**
   * Whether an enrolment is, or is not, eliminated for good: what a reinstatement, or an elimination, needs.
   * @throws VeilgridError `already-eliminated`, `not-eliminated`.
   */
  require(id: EnrolmentId, eliminated: boolean): void {
    const last = this.of(id).at(-1);
    const open = last !== undefined && last.to === undefined;
    if (open && !eliminated) throw refused("already-eliminated", "the meter is eliminated already", id);
    if (!open && eliminated) throw refused("not-eliminated", "the meter is not eliminated", id);
  }

  /** Leaves an enrolment out from a period on. @throws VeilgridError `already-eliminated`. */
  async eliminate(id: EnrolmentId, from: Period): Promise<void> {
    this.require(id, false);
    const last = this.of(id).at(-1);
    // A reinstatement that has not yet taken effect is taken back.
    if (last?.to !== undefined && comparePeriods(from, last.to) <= 0) await this.#put(id, { ...last, to: undefined });
    else await this.#put(id, { from, to: undefined });
  }

  /** Lets an enrolment count again from a period on. @throws VeilgridError `not-eliminated`. */
  async reinstate(id: EnrolmentId, to: Period): Promise<void> {
    this.require(id, true);
    const last = this.of(id).at(-1) as Elimination;
    // An elimination that has not yet taken effect leaves no trace.
    if (comparePeriods(to, last.from) <= 0) await this.#remove(id, last);
    else await this.#put(id, { ...last, to });
  }

  async #put(id: EnrolmentId, span: Elimination): Promise<void> {
    const name = enrolmentName(id);
    await this.#store.write([{ key: spanKey(name, span.from), value: encodeEnd(span.to) }]);
    const others = this.#of(name).filter(({ from }) => comparePeriods(from, span.from) !== 0);
    this.#spans.set(name, [...others, span]);
  }

  async #remove(id: EnrolmentId, span: Elimination): Promise<void> {
    const name = enrolmentName(id);
    await this.#store.write([{ key: spanKey(name, span.from), value: undefined }]);
    this.#spans.set(
      name,
      this.#of(name).filter((one) => one !== span),
    );
  }
}
