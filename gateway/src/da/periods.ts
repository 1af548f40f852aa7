import {
  READING_BYTES,
  isVeilgridError,
  readingOfLeaf,
  sigMessage,
  window,
  type Params,
  type Period,
  type VerifiedSignatures,
  type Window,
} from "@veilgrid/protocol";
import type { SignatureCheck, Verifier } from "../ports/verifier.js";
import type { Covering, Epochs } from "./epochs.js";
import type { Lists } from "./lists.js";
import { slotOf } from "./names.js";
import type { Membership } from "./membership.js";
import { heldReading, type HeldReading, type PeriodPool, type Pools } from "./pool.js";

/** Readings whose signatures are checked in one go: others get their turn in between. */
const AT_ONCE = 256;

/** A region-period that is neither committed nor without an epoch: everything that a reading of it is held to. */
export interface OpenPeriod {
  readonly region: number;
  readonly period: Period;
  readonly slot: string;
  /** The version that the period's epoch names. */
  readonly params: Params;
  readonly covering: Covering;
  readonly window: Window;
  readonly pool: PeriodPool;
}

/** Why a reading of an open period is not taken. */
export type Flaw = "no-epoch" | "unknown-prid" | "bad-signature";

/** Names of readings whose signatures are bad. */
export type BadSignatures = ReadonlySet<string>;

const NONE: BadSignatures = new Set();

/** The open periods, and the checks of a reading that every way in shares. */
export class Periods {
  readonly #epochs: Epochs;
  readonly #lists: Lists;
  readonly #pools: Pools;
  readonly #membership: Membership;
  readonly #memory: VerifiedSignatures;
  readonly #verifier: Verifier | undefined;
  /** By name: the verdicts that are on their way. */
  readonly #proving = new Map<string, Promise<boolean>>();
  readonly #open = new Map<string, OpenPeriod>();

  constructor(modules: {
    readonly epochs: Epochs;
    readonly lists: Lists;
    readonly pools: Pools;
    readonly membership: Membership;
    readonly memory: VerifiedSignatures;
    readonly verifier?: Verifier;
  }) {
    this.#epochs = modules.epochs;
    this.#lists = modules.lists;
    this.#pools = modules.pools;
    this.#membership = modules.membership;
    this.#memory = modules.memory;
    this.#verifier = modules.verifier;
  }

  /** A period's desk, if an epoch covers it. The caller has made sure that its block is not committed yet. */
  async open(region: number, period: Period): Promise<OpenPeriod | undefined> {
    const slot = slotOf(region, period);
    const known = this.#open.get(slot);
    if (known !== undefined) return known;
    const covering = await this.#epochs.at(region, period);
    if (covering === undefined) return undefined;
    // Others asked meanwhile: there is one desk.
    const opened = this.#open.get(slot);
    if (opened !== undefined) return opened;
    const { params } = covering;
    const fresh = {
      region,
      period,
      slot,
      params,
      covering,
      window: window(period, params),
      pool: this.#pools.open(slot),
    };
    this.#open.set(slot, fresh);
    return fresh;
  }

  /** Whether the PRID (by `nameOf`) is on the period's list; undefined where the list is not here. */
  lists({ covering, period }: OpenPeriod, prid: string): boolean | undefined {
    return this.#lists.prids(covering, period)?.has(prid);
  }

  /** Whether it is the period's desk still: its block was not committed meanwhile. */
  isOpen(open: OpenPeriod): boolean {
    return this.#open.get(open.slot) === open;
  }

  /**
   * Has the signatures of readings checked that `flaw` would check, off the event loop where there is a verifier, and each
   * once however many ask; gives the bad ones for `flaw`. What else `flaw` looks at may change meanwhile.
   * @throws VeilgridError `verification-busy`.
   */
  async prove(open: OpenPeriod, readings: readonly HeldReading[]): Promise<BadSignatures> {
    if (this.#verifier === undefined) return NONE;
    const needed = readings.filter((reading) => this.lists(open, reading.prid) === true && !open.pool.knows(reading));
    this.#order(
      needed.filter((reading) => !this.#proving.has(reading.id) && !this.#isRemembered(reading)),
      this.#verifier,
    );
    const verdicts = await Promise.all(needed.map(({ id }) => this.#proving.get(id) ?? Promise.resolve(true)));
    return new Set(needed.filter((_, i) => !verdicts[i]).map(({ id }) => id));
  }

  /** Has the signatures of one order of readings checked; the verdicts are in `#proving` until they are remembered. */
  #order(readings: readonly HeldReading[], verifier: Verifier): void {
    if (readings.length === 0) return;
    const checks = readings.map((reading) => this.#checkOf(reading));
    const verdicts = verifier.verify(checks);
    readings.forEach(({ id }, i) => {
      const verdict = verdicts.then((all) => {
        const { message, key, signature } = checks[i] as SignatureCheck;
        if (all[i] === true) this.#memory.learn(message, key, signature);
        return all[i] === true;
      });
      this.#proving.set(
        id,
        verdict.finally(() => this.#proving.delete(id)),
      );
    });
  }

  /**
   * What every reading must pass, however it comes, in the protocol's order: "PRID in BF1[j,k] and in the list; the same
   * bytes before (then the same answer); signature".
   */
  flaw(open: OpenPeriod, reading: HeldReading, bad: BadSignatures = NONE): Flaw | undefined {
    // PRID in BF1[j,k] and in the list: each PRID of the list was found in BF1 when the list came.
    const listed = this.lists(open, reading.prid);
    if (listed === undefined) return "no-epoch";
    if (!listed) return "unknown-prid";
    // The same bytes before: they were verified then.
    if (open.pool.knows(reading)) return undefined;
    // Signature.
    return !bad.has(reading.id) && this.#isSigned(reading) ? undefined : "bad-signature";
  }

  /** The readings of this period that leaves stand for, those that pass all of this. */
  async verified(open: OpenPeriod, leaves: readonly Uint8Array[]): Promise<HeldReading[]> {
    const readings = leaves.map((leaf) => heldReading(readingOfLeaf(open.region, open.period)(leaf)));
    const sound: HeldReading[] = [];
    for (let at = 0; at < readings.length; at += AT_ONCE) {
      const some = readings.slice(at, at + AT_ONCE);
      const bad = await this.prove(open, some).catch(unproved);
      sound.push(...some.filter((reading) => this.flaw(open, reading, bad) === undefined));
    }
    return sound;
  }

  close(slot: string): void {
    this.#open.delete(slot);
  }

  #checkOf({ signed, leaf }: HeldReading): SignatureCheck {
    const message = sigMessage("reading", this.#membership.id, signed.subarray(0, READING_BYTES));
    return { message, key: leaf.subarray(0, 32), signature: signed.subarray(READING_BYTES) };
  }

  #isRemembered(reading: HeldReading): boolean {
    const { message, key, signature } = this.#checkOf(reading);
    return this.#memory.knows(message, key, signature);
  }

  #isSigned(reading: HeldReading): boolean {
    const { message, key, signature } = this.#checkOf(reading);
    return this.#memory.verify(message, key, signature);
  }
}

/** Where the verifier is busy, what a block needs is checked here. */
function unproved(error: unknown): BadSignatures {
  if (isVeilgridError(error, "verification-busy")) return NONE;
  throw error;
}

/** For whoever can be told to come again. */
export function unlessBusy(error: unknown): "busy" {
  if (isVeilgridError(error, "verification-busy")) return "busy";
  throw error;
}
