import {
  caseId,
  caseKey,
  type Period,
  type LedgerView,
  type SigKind,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { CertifiedBlocks } from "../committed/blocks.js";
import { Issuer } from "../committed/issuer.js";
import { Outbox } from "../committed/outbox.js";
import type { Clock } from "../ports/clock.js";
import { silent, type Log } from "../ports/log.js";
import type { KeyStore } from "../ports/keystore.js";
import type { Transport } from "../ports/transport.js";
import { Eliminations } from "./eliminations.js";
import { Register } from "./register.js";
import { Roster } from "./roster.js";
import type { SealedStore } from "./sealed-store.js";
import { MeterSeeds } from "./seeds.js";

/** What KGCBP works with. */
export interface DeskModules {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly store: SealedStore;
  /** KGCBP's own peer. */
  readonly view: LedgerView;
  readonly keys: KeyStore;
  readonly memory?: VerifiedSignatures;
  readonly log?: Log;
}

/** KGCBP's register, signing key and outbox: what its tasks share. */
export class Desk {
  readonly clock: Clock;
  readonly store: SealedStore;
  readonly view: LedgerView;
  readonly register: Register;
  readonly eliminations: Eliminations;
  readonly roster: Roster;
  readonly seeds: MeterSeeds;
  readonly keys: KeyStore;
  readonly outbox: Outbox;
  readonly blocks: CertifiedBlocks;
  readonly log: Log;
  readonly #issuer: Issuer;
  readonly #secret: Uint8Array;

  private constructor(
    modules: DeskModules,
    secret: Uint8Array,
    issuer: Issuer,
    { register, eliminations }: { readonly register: Register; readonly eliminations: Eliminations },
  ) {
    this.clock = modules.clock;
    this.store = modules.store;
    this.view = modules.view;
    this.register = register;
    this.eliminations = eliminations;
    this.roster = new Roster(register, eliminations);
    this.seeds = new MeterSeeds(issuer.consortium, register, modules.keys);
    this.keys = modules.keys;
    this.outbox = new Outbox(modules);
    this.blocks = new CertifiedBlocks(modules);
    this.log = modules.log ?? silent;
    this.#issuer = issuer;
    this.#secret = secret;
  }

  /**
   * @param secret KGCBP's signing key, 32 bytes; @param others those of other versions of the parameter set.
   * @throws VeilgridError `not-set-up`.
   */
  static async open(modules: DeskModules, secret: Uint8Array, others: readonly Uint8Array[] = []): Promise<Desk> {
    const { view, log = silent } = modules;
    const issuer = await Issuer.open({ party: "kgcbp", secrets: [secret, ...others] }, { view, log });
    const register = await Register.open(modules.keys);
    const eliminations = await Eliminations.open(modules.store, (meter) => register.changesOf(meter));
    return new Desk(modules, secret, issuer, { register, eliminations });
  }

  /** The consortium id, 32 bytes. */
  get consortium(): Uint8Array {
    return this.#issuer.consortium;
  }

  /** A period, or the first one whose month is not erased: of the months before KGCBP knows nothing any more. */
  kept(period: Period): Period {
    const { erased } = this.keys;
    return erased === undefined || period.month > erased ? period : { month: erased + 1, k: 0 };
  }

  /** What the month's case key is by KGCBP's present signing key, 32 bytes. */
  caseKey(month: number): Uint8Array {
    return caseKey(this.#secret, month);
  }

  /** What a case's id is by KGCBP's present signing key, 16 bytes. */
  caseId(region: number, period: Period): Uint8Array {
    return caseId(this.#secret, region, period);
  }

  /** A leaf: an encoded body and KGCBP's signature. */
  sign(kind: SigKind, body: Uint8Array): Uint8Array {
    return this.#issuer.leaf(kind, body);
  }

  /** Another version of the parameter set is in force: what is on its way is signed by its key. */
  async onParams(): Promise<void> {
    await this.#issuer.refresh();
    await this.outbox.renew(this.#issuer.renewed);
  }
}
