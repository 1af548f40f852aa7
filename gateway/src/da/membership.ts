import {
  VeilgridError,
  memberIndex,
  quorum,
  schnorr,
  signStruct,
  verifySigned,
  type Codec,
  type LedgerView,
  type Params,
  type SigKind,
  type Signed,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { Address } from "../ports/transport.js";

/** Another data aggregator of a params version. */
export interface Peer {
  readonly index: number;
  readonly address: Address;
  /** x-only, 32 bytes. */
  readonly key: Uint8Array;
}

/** Address of the DA with this index. */
export function addressOf(index: number): Address {
  return `da/${index}`;
}

/** Who this aggregator is in the consortium, and who the others are: by params version, because members change. */
export class Membership {
  readonly #secret: Uint8Array;
  readonly #view: LedgerView;
  readonly #memory: VerifiedSignatures;
  readonly #versions = new Map<number, Params>();
  #id: Uint8Array | undefined;
  #current: Params | undefined;
  /** This DA's own x-only key, 32 bytes. */
  readonly key: Uint8Array;

  /** @param secret BIP-340 secret, 32 bytes. */
  constructor(secret: Uint8Array, modules: { readonly view: LedgerView; readonly memory: VerifiedSignatures }) {
    this.#secret = secret;
    this.#view = modules.view;
    this.#memory = modules.memory;
    this.key = schnorr.publicKey(secret);
  }

  /** Reads consortium and current params from the ledger: at start, and after each params block. */
  async refresh(): Promise<void> {
    this.#id = await this.#view.consortium();
    this.#current = await this.#view.currentParams();
    this.#versions.set(this.#current.version, this.#current);
  }

  /** The consortium id, 32 bytes. */
  get id(): Uint8Array {
    if (this.#id === undefined) throw notStarted();
    return this.#id;
  }

  /** The params version in force. */
  get current(): Params {
    if (this.#current === undefined) throw notStarted();
    return this.#current;
  }

  /** A version's parameter set. @throws VeilgridError `wrong-params` where there is none. */
  async params(version: number): Promise<Params> {
    const known = this.#versions.get(version);
    if (known !== undefined) return known;
    const params = await this.#view.params(version);
    this.#versions.set(version, params);
    return params;
  }

  /** This DA's index in a params version; undefined where it is no member. */
  indexIn({ da }: Params): number | undefined {
    const index = memberIndex(da, this.key);
    return index < 0 ? undefined : index;
  }

  quorumOf({ da }: Params): number {
    return quorum(da.length);
  }

  /** All other DAs of a params version. */
  peers({ da }: Params): Peer[] {
    const own = memberIndex(da, this.key);
    return da.map(({ key }, index) => ({ index, address: addressOf(index), key })).filter(({ index }) => index !== own);
  }

  sign<T>(kind: SigKind, codec: Codec<T>, body: T): Signed<T> {
    return signStruct(kind, this.id, codec, body, this.#secret);
  }

  verify(kind: SigKind, signed: Pick<Signed<unknown>, "bytes" | "sig">, key: Uint8Array): boolean {
    return verifySigned(kind, this.id, signed, key, this.#memory);
  }

  /** `sig("header", CBH)` of a block that this DA forms. */
  signHash(cbh: Uint8Array): Uint8Array {
    return this.sign("header", { encode: () => cbh, decode: () => cbh }, cbh).sig;
  }
}

function notStarted(): VeilgridError {
  return new VeilgridError("not-started", "the aggregator has not read the ledger yet", {
    blame: "caller",
    retry: true,
  });
}
