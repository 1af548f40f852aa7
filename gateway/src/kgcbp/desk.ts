import { encodeLeaf, signBody, type LedgerView, type SigKind, type VerifiedSignatures } from "@veilgrid/protocol";
import { CertifiedBlocks } from "../committed/blocks.js";
import { Outbox } from "../committed/outbox.js";
import type { Clock } from "../ports/clock.js";
import { silent, type Log } from "../ports/log.js";
import type { KeyStore } from "../ports/keystore.js";
import type { Store } from "../ports/store.js";
import type { Transport } from "../ports/transport.js";
import { Register } from "./register.js";
import { MeterSeeds } from "./seeds.js";

/** What KGCBP works with. */
export interface DeskModules {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly store: Store;
  /** KGCBP's own peer. */
  readonly view: LedgerView;
  readonly keys: KeyStore;
  readonly memory?: VerifiedSignatures;
  readonly log?: Log;
}

/** KGCBP's register, signing key and outbox: what its tasks share. */
export class Desk {
  readonly clock: Clock;
  readonly store: Store;
  readonly view: LedgerView;
  readonly register: Register;
  readonly seeds: MeterSeeds;
  readonly outbox: Outbox;
  readonly blocks: CertifiedBlocks;
  readonly log: Log;
  readonly #consortium: Uint8Array;
  readonly #secret: Uint8Array;

  private constructor(modules: DeskModules, secret: Uint8Array, consortium: Uint8Array, register: Register) {
    this.clock = modules.clock;
    this.store = modules.store;
    this.view = modules.view;
    this.register = register;
    this.seeds = new MeterSeeds(consortium, register, modules.keys);
    this.outbox = new Outbox(modules);
    this.blocks = new CertifiedBlocks(modules);
    this.log = modules.log ?? silent;
    this.#consortium = consortium;
    this.#secret = secret;
  }

  /** @param secret KGCBP's signing key, 32 bytes. @throws VeilgridError `not-set-up`. */
  static async open(modules: DeskModules, secret: Uint8Array): Promise<Desk> {
    const consortium = await modules.view.consortium();
    return new Desk(modules, secret, consortium, await Register.open(modules.keys));
  }

  /** The consortium id, 32 bytes. */
  get consortium(): Uint8Array {
    return this.#consortium;
  }

  /** A leaf: an encoded body and KGCBP's signature. */
  sign(kind: SigKind, body: Uint8Array): Uint8Array {
    return encodeLeaf(body, signBody(kind, this.#consortium, body, this.#secret));
  }
}
