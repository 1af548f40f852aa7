import { randomBytes } from "node:crypto";
import { KIND, headerCodec, type Header, type Period } from "@veilgrid/protocol";
import type { ContentStore } from "../ports/content.js";
import type { Enrolment } from "../ports/keystore.js";
import type { LedgerEvent } from "../ports/ledger.js";
import type { Random } from "../ports/random.js";
import type { Handler } from "../ports/transport.js";
import { SeededRandom } from "../random.js";
import { Billing } from "./billing.js";
import { CaseDesk } from "./case-desk.js";
import { Cases } from "./cases.js";
import { ChangeDesk } from "./change-desk.js";
import { Closing } from "./closing.js";
import { Elimination } from "./elimination.js";
import { deviceCounter } from "./device-counter.js";
import { Desk, type DeskModules } from "./desk.js";
import { EpochBook } from "./epoch-book.js";
import { Epochs } from "./epochs.js";
import { Issuing, type BillingOptions } from "./issuing.js";
import { MonthReader } from "./month.js";
import { billedName } from "./names.js";
import { Releases } from "./releases.js";
import { Retention } from "./retention.js";
import { Revisions } from "./revisions.js";
import { SettleDesk } from "./settle-desk.js";
import { Settlements } from "./settlements.js";
import type { Outcome } from "./tally.js";

/** How KGCBP works. */
export interface KgcbpOptions extends BillingOptions {
  /** Its BIP-340 signing key, 32 bytes. */
  readonly secret: Uint8Array;
  /** Its keys in other versions of the parameter set: one that is to come, and one that epochs still name. */
  readonly otherSecrets?: readonly Uint8Array[];
  /** How long before an epoch begins it is composed and sent, in milliseconds. */
  readonly leadMs?: number;
}

/** What it works with. */
export interface KgcbpModules extends DeskModules {
  readonly content: ContentStore;
  /** Where the fresh month keys of changed meters come from; the platform's randomness if not given. */
  readonly random?: Random;
}

/**
 * The key generation center and bill provider [4.1]: registers meters and users, prepares epochs, releases masks after
 * each committed readings block, and bills closed months. Everything it has to do follows from its store and the ledger,
 * so a start after a crash goes on where it was.
 */
export class Kgcbp {
  /** For KGCBP's operator alone. */
  readonly cases: CaseDesk;
  /** For KGCBP's operator alone. */
  readonly elimination: Elimination;
  /** For KGCBP's operator alone. */
  readonly meters: ChangeDesk;
  /** For KGCBP's operator alone. */
  readonly retention: Retention;
  /** For KGCBP's operator alone. */
  readonly settling: SettleDesk;
  readonly #desk: Desk;
  readonly #epochs: Epochs;
  readonly #settlements: Settlements;
  readonly #releases: Releases;
  readonly #cases: Cases;
  readonly #billing: Billing;
  readonly #revisions: Revisions;
  readonly #closing: Closing;

  private constructor(options: KgcbpOptions, desk: Desk, { content, random }: KgcbpModules) {
    const book = new EpochBook(desk);
    this.#desk = desk;
    this.#epochs = new Epochs(desk, book, options.leadMs);
    this.#settlements = new Settlements(desk, book);
    this.#releases = new Releases(desk, book, this.#settlements);
    this.#cases = new Cases(desk, book, this.#settlements);
    this.cases = new CaseDesk(desk, this.#cases, this.#settlements);
    this.elimination = new Elimination(desk, this.#epochs);
    const months = new MonthReader(desk, book, this.#settlements);
    this.retention = new Retention(desk, book, this.#cases);
    this.#closing = new Closing(desk);
    const onBilled = (): Promise<void> => this.#onBilled();
    const issuing = new Issuing(options, { desk, months, cases: this.cases, content });
    this.#billing = new Billing(desk, issuing, onBilled);
    this.#revisions = new Revisions(desk, issuing);
    const { corrections } = issuing;
    const { settlements, revisions } = { settlements: this.#settlements, revisions: this.#revisions };
    this.settling = new SettleDesk(desk, { book, settlements, corrections, revisions });
    const drawn = random ?? new SeededRandom(randomBytes(32));
    this.meters = new ChangeDesk({ desk, book, epochs: this.#epochs, random: drawn, seed: options.seed });
    this.handle = deviceCounter(this.meters, desk.log);
  }

  /** @throws VeilgridError `not-set-up` on a ledger without parameters. */
  static async open(options: KgcbpOptions, modules: KgcbpModules): Promise<Kgcbp> {
    return new Kgcbp(options, await Desk.open(modules, options.secret, options.otherSecrets), modules);
  }

  /** Takes up everything that store and ledger show as due. */
  async start(): Promise<void> {
    await this.#epochs.start();
    await this.#releases.start();
    await this.#cases.start();
    await this.#billing.start();
    await this.#revisions.start();
    await this.#onBilled();
  }

  /** What waits for bills: settling what came too late for them, closing and erasing. */
  async #onBilled(): Promise<void> {
    await this.#revisions.onChange();
    await this.#closing.onChange();
    await this.retention.onChange();
  }

  stop(): void {
    this.#epochs.stop();
    this.#billing.stop();
    this.#closing.stop();
    this.retention.stop();
    this.#desk.outbox.stop();
  }

  /** What devices ask: whether there are keys for them. */
  readonly handle: Handler;

  /** Enrols a meter's supply; see Register. @throws VeilgridError `already-enrolled`. */
  async enrol(enrolment: Enrolment, monthKey: Uint8Array): Promise<void> {
    await this.#desk.register.enrol(enrolment, monthKey);
    await this.#epochs.onChange(enrolment.region);
  }

  async onLedgerEvent({ name, payload }: LedgerEvent): Promise<void> {
    if (name === "block") await this.#onBlock(headerCodec.decode(payload));
  }

  async #onBlock(header: Header): Promise<void> {
    switch (header.kind) {
      case KIND.params:
        await this.#desk.onParams();
        await this.#epochs.onParams();
        return this.#onBilled();
      case KIND.epoch:
        return this.#onEpoch(header);
      case KIND.readings:
        await this.#releases.onReadings(header);
        return this.#cases.onReadings(header);
      case KIND.masks:
        return this.#releases.onMasks(header);
      case KIND.prices:
        return this.#billing.onPrices(header);
      case KIND.verdicts:
        await this.#cases.onVerdicts(header);
        return this.retention.onChange();
      case KIND.bills:
        await this.#billing.onBills(header);
        return this.#revisions.onBills(header);
      case KIND.close:
        return this.#closing.onClose(header);
    }
  }

  async #onEpoch(header: Header): Promise<void> {
    await this.#epochs.onEpoch(header);
    await this.#billing.onEpoch();
    await this.#closing.onEpoch();
    await this.retention.onEpoch();
  }

  /** What became of each meter of a committed period, in the order of BIDs. For KGCBP's operator alone. */
  outcomes(region: number, period: Period): Promise<readonly Outcome[]> {
    return this.#settlements.of(region, period);
  }

  /** Whether all bills of a month are on the ledger, as far as KGCBP has followed it. */
  isBilled(month: number): boolean {
    return this.#desk.store.get(billedName(month)) !== undefined;
  }

  /** How many meters of a committed period were complete; undefined of an erased month. */
  readonly completeMeters = async (region: number, period: Period): Promise<number | undefined> => {
    const { erased } = this.#desk.keys;
    if (erased !== undefined && period.month <= erased) return undefined;
    const outcomes = await this.outcomes(region, period);
    return outcomes.filter(({ state }) => state === "complete").length;
  };
}
