import {
  KIND,
  decodeLeaf,
  encodeLeaf,
  epochHead,
  equalBytes,
  schnorr,
  signBody,
  type LedgerView,
  type Params,
  type SigKind,
} from "@veilgrid/protocol";
import type { Log } from "../ports/log.js";
import type { PendingTransaction } from "../transport/envelopes.js";

/** What a leaf of a kind of block is signed as. */
const SIGNED_AS: ReadonlyMap<number, SigKind> = new Map<number, SigKind>([
  [KIND.epoch, "epoch"],
  [KIND.masks, "mask"],
  [KIND.prices, "price"],
  [KIND.bills, "bills"],
  [KIND.verdicts, "verdict"],
  [KIND.close, "close"],
]);

interface OwnKey {
  readonly secret: Uint8Array;
  /** x-only, 32 bytes. */
  readonly key: Uint8Array;
}

/**
 * Signs what KGCBP or CC issues with the key that the ledger will ask for: that of the version current before the block,
 * for an epoch that of the version which it names (PROTOCOL section 7, Params). It holds the party's keys of several
 * versions: a new one from before its params block on, an old one while epochs name it.
 */
export class Issuer {
  readonly #party: "cc" | "kgcbp";
  readonly #own: readonly OwnKey[];
  readonly #view: LedgerView;
  readonly #log: Log;
  readonly #versions = new Map<number, Params>();
  #consortium: Uint8Array = new Uint8Array();
  #current = 0;

  private constructor(
    options: { readonly party: "cc" | "kgcbp"; readonly secrets: readonly Uint8Array[] },
    modules: { readonly view: LedgerView; readonly log: Log },
  ) {
    this.#party = options.party;
    this.#own = options.secrets.map((secret) => ({ secret, key: schnorr.publicKey(secret) }));
    this.#view = modules.view;
    this.#log = modules.log;
  }

  /** @param options.secrets BIP-340 secrets, 32 bytes each. @throws VeilgridError `not-set-up`. */
  static async open(
    options: { readonly party: "cc" | "kgcbp"; readonly secrets: readonly Uint8Array[] },
    modules: { readonly view: LedgerView; readonly log: Log },
  ): Promise<Issuer> {
    const issuer = new Issuer(options, modules);
    await issuer.refresh();
    return issuer;
  }

  /** The consortium id, 32 bytes. */
  get consortium(): Uint8Array {
    return this.#consortium;
  }

  /** The version in force, as far as this issuer has heard. */
  get version(): number {
    return this.#current;
  }

  /** Reads the versions that are new on the ledger: at start, and after each params block. */
  async refresh(): Promise<void> {
    this.#consortium = await this.#view.consortium();
    const { version: newest } = await this.#view.currentParams();
    for (let version = 1; version <= newest; version += 1) {
      if (!this.#versions.has(version)) this.#versions.set(version, await this.#view.params(version));
    }
    this.#current = newest;
    if (this.#keyFor(newest) === undefined) {
      this.#log("error", "signing-key-missing", { party: this.#party, version: newest });
    }
  }

  /** A leaf: an encoded body and the signature that is asked for now. */
  leaf(kind: SigKind, body: Uint8Array): Uint8Array {
    const version = kind === "epoch" ? epochHead(body).params : this.#current;
    // Without the version's key nothing that is signed would be taken; the operator has been told.
    const secret = (this.#keyFor(version) ?? this.#own[0])?.secret as Uint8Array;
    return encodeLeaf(body, signBody(kind, this.#consortium, body, secret));
  }

  /** A transaction of this issuer as it has to be signed now: the same bytes where no key has changed. */
  readonly renewed = ({ kind, leaf }: PendingTransaction): PendingTransaction => ({
    kind,
    leaf: this.leaf(SIGNED_AS.get(kind) as SigKind, decodeLeaf(leaf).body),
  });

  #keyFor(version: number): OwnKey | undefined {
    const due = this.#versions.get(version)?.[this.#party].key;
    return due && this.#own.find(({ key }) => equalBytes(key, due));
  }
}
