import { equalBytes, isVeilgridError, type VeilgridError } from "@veilgrid/protocol";
import { ledgerStopped } from "../ledger/errors.js";
import type { Log } from "../ports/log.js";
import type { BlockReader } from "./blockreader.js";
import { BlockStream, type GivenBlock } from "./blockstream.js";
import { ledgerForked, ledgerStalled, sourceFailed } from "./faults.js";
import type { KeptLedger } from "./kept.js";
import type { Patience } from "./patience.js";
import { fingerprint, type BlockParts } from "./rawblock.js";
import type { NamedSource } from "./source.js";

export interface FollowingModules {
  readonly kept: KeptLedger;
  /** The peers, the preferred one first. */
  readonly sources: readonly NamedSource[];
  readonly reader: BlockReader;
  readonly log: Log;
  readonly patience: Patience;
}

/** One stay with one source. */
interface Visit {
  readonly source: NamedSource;
  readonly stop: AbortController;
  /** Whether the source has shown that it has the ledger that is kept here. */
  isConfirmed: boolean;
  hasGiven: boolean;
}

/** Why a source is left that did nothing wrong. */
const PREFERRED_IS_BACK = new Error("the preferred peer is back");

/** @throws VeilgridError `ledger-forked` unless the block is the one that was seen in its place. */
export function requireSeen(kept: KeptLedger, { name }: NamedSource, number: bigint, block: BlockParts): void {
  if (block.number !== number) throw ledgerForked(name, number, "another number");
  if (!equalBytes(fingerprint(block), kept.fingerprint(number))) {
    throw ledgerForked(name, number, "another block, or other verdicts on its transactions");
  }
}

/**
 * Follows the preferred peer into what is kept, and another one for as long as that fails, gives nothing, or contradicts
 * what was seen. Whichever it is must first give the last block that is kept, and each further one must follow the one
 * before.
 */
export class Following {
  readonly #modules: FollowingModules;
  readonly #stopped = new AbortController();
  readonly #waiting = new Set<AbortController>();
  readonly #failures = new Map<string, VeilgridError>();
  readonly #run: Promise<void>;
  #visit: Visit | undefined;
  #isConfirmed = false;
  #end: VeilgridError | undefined;

  constructor(modules: FollowingModules) {
    this.#modules = modules;
    this.#run = this.#follow();
  }

  /** Aborted when following has ended. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /**
   * Waits until block `number`, which is known to be committed somewhere, is kept here, leaving peers that do not give it;
   * with -1, only until a peer has confirmed what is kept.
   * @throws VeilgridError `ledger-stalled` when each peer had its time twice, `ledger-forked` when all contradict what is
   *   kept, `ledger-unavailable` after `stop`.
   */
  async reached(number: bigint): Promise<void> {
    const { patience, sources } = this.#modules;
    for (let left = 2 * sources.length; !this.#has(number);) {
      this.#requireHope();
      const visit = this.#visit;
      if (await this.#progress(patience.stall)) continue;
      left -= 1;
      if (left === 0) throw this.#stalled(sources, number);
      if (visit !== undefined && visit === this.#visit) visit.stop.abort(this.#stalled([visit.source], number));
    }
  }

  async stop(): Promise<void> {
    this.#finish(ledgerStopped("it is closed"));
    await this.#run;
  }

  #stalled(sources: readonly NamedSource[], number: bigint): VeilgridError {
    const names = sources.map(({ name }) => name);
    const [failure] = names.map((name) => this.#failures.get(name)).filter((found) => found !== undefined);
    return ledgerStalled(names.join(", "), number, this.#modules.patience.stall, failure);
  }

  #has(number: bigint): boolean {
    return this.#isConfirmed && this.#end === undefined && this.#modules.kept.tip.height > number;
  }

  #requireHope(): void {
    if (this.#end !== undefined) throw this.#end;
    const failures = [...this.#failures.values()];
    const forked = failures.filter(({ code }) => code === "ledger-forked");
    if (forked.length === this.#modules.sources.length) throw forked[0] as VeilgridError;
  }

  #finish(why: VeilgridError): void {
    this.#end ??= why;
    this.#stopped.abort(why);
    this.#wake();
  }

  /** Whether a source gives a block, or the first one agrees, before so many milliseconds have passed. */
  async #progress(milliseconds: number): Promise<boolean> {
    const woken = new AbortController();
    this.#waiting.add(woken);
    await this.#modules.patience.wait(milliseconds, woken.signal);
    this.#waiting.delete(woken);
    return woken.signal.aborted;
  }

  #wake(): void {
    for (const waiting of this.#waiting) waiting.abort();
  }

  async #follow(): Promise<void> {
    const { sources } = this.#modules;
    /** Visits in a row that brought nothing. */
    let fruitless = 0;
    for (let turn = 0; !this.#stopped.signal.aborted;) {
      const visit = {
        source: sources[turn] as NamedSource,
        stop: new AbortController(),
        isConfirmed: false,
        hasGiven: false,
      };
      this.#visit = visit;
      const why = await this.#stay(visit, turn > 0);
      fruitless = visit.hasGiven ? 0 : fruitless + 1;
      const next = this.#after(visit, why, turn, fruitless);
      if (next !== turn || fruitless > 1) this.#tell(visit, why, sources[next] as NamedSource);
      turn = next;
      // Waiting in vain was pause enough.
      if (!isVeilgridError(why, "ledger-stalled")) await this.#pause(fruitless - sources.length);
    }
  }

  /** Which source comes next: one whose stream broke off is asked once more before it is left. */
  #after({ isConfirmed }: Visit, why: Error, turn: number, fruitless: number): number {
    if (why === PREFERRED_IS_BACK) return 0;
    if (isConfirmed && fruitless < 2 && isVeilgridError(why, "ledger-unavailable")) return turn;
    return (turn + 1) % this.#modules.sources.length;
  }

  #tell({ source }: Visit, why: Error, next: NamedSource): void {
    if (this.#stopped.signal.aborted) return;
    const code = isVeilgridError(why) ? why.code : "preferred";
    const level = code === "preferred" ? "info" : code === "ledger-forked" ? "error" : "warn";
    this.#modules.log(level, "ledger-source-left", { source: source.name, code, why: why.message, next: next.name });
  }

  /** Pauses when each source has failed, the longer the more often. */
  async #pause(rounds: number): Promise<void> {
    const { patience } = this.#modules;
    if (rounds < 0) return;
    const milliseconds = Math.min(patience.longestPause, patience.pause * 2 ** Math.min(rounds, 20));
    await patience.wait(milliseconds, this.#stopped.signal);
  }

  /** Follows one source until it is left, and returns why. */
  async #stay(visit: Visit, isSubstitute: boolean): Promise<Error> {
    const { kept } = this.#modules;
    const { height } = kept.tip;
    const left = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, visit.stop.signal, left.signal]);
    const stream = new BlockStream(visit.source, this.#modules, height === 0n ? 0n : height - 1n, signal);
    if (isSubstitute) void this.#awaitPreferred(visit, signal);
    try {
      if (height > 0n) this.#confirm(visit, await stream.next(true));
      // Block 0 every peer of the channel has.
      for (let due = height === 0n; ; due = false) await this.#take(visit, await stream.next(due));
    } catch (error) {
      if (error === PREFERRED_IS_BACK) return PREFERRED_IS_BACK;
      const why = sourceFailed(visit.source.name, error);
      this.#failures.set(visit.source.name, why);
      return why;
    } finally {
      stream.close();
      left.abort();
    }
  }

  #confirm(visit: Visit, block: GivenBlock): void {
    const { kept } = this.#modules;
    requireSeen(kept, visit.source, kept.tip.height - 1n, block);
    this.#agree(visit);
  }

  /** What is kept is what the source has. */
  #agree(visit: Visit): void {
    visit.isConfirmed = true;
    this.#failures.delete(visit.source.name);
    if (!this.#isConfirmed) this.#wake();
    this.#isConfirmed = true;
  }

  async #take(visit: Visit, block: GivenBlock): Promise<void> {
    const { kept, reader } = this.#modules;
    const { height, hash } = kept.tip;
    const { name } = visit.source;
    if (block.number !== height) throw ledgerForked(name, height, `block ${block.number.toString()} in its place`);
    if (!equalBytes(block.previous, height === 0n ? new Uint8Array() : hash)) {
      throw ledgerForked(name, height, "it follows another block");
    }
    await kept.append(block, reader.block(block)).catch((error: unknown) => {
      const end = ledgerStopped("its local copy cannot be written", error);
      this.#finish(end);
      throw end;
    });
    visit.hasGiven = true;
    this.#agree(visit);
    this.#wake();
  }

  /** Comes back to the preferred source as soon as it shows that it has what is kept. */
  async #awaitPreferred({ stop }: Visit, signal: AbortSignal): Promise<void> {
    const { kept, patience, sources } = this.#modules;
    const preferred = sources[0] as NamedSource;
    for (;;) {
      await patience.wait(patience.return, signal);
      if (signal.aborted) return;
      const last = kept.tip.height - 1n;
      if (last < 0n) continue;
      const stream = new BlockStream(preferred, this.#modules, last, signal);
      try {
        requireSeen(kept, preferred, last, await stream.next(true));
        stop.abort(PREFERRED_IS_BACK);
      } catch (error) {
        this.#failures.set(preferred.name, sourceFailed(preferred.name, error));
      } finally {
        stream.close();
      }
    }
  }
}
