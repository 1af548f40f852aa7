import {
  VeilgridError,
  daAddress,
  equalBytes,
  quorum,
  schnorr,
  signStruct,
  verifySigned,
  type Codec,
  type LedgerView,
  type Member,
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

/** A key pair of this aggregator. */
interface OwnKey {
  readonly secret: Uint8Array;
  readonly key: Uint8Array;
}

/**
 * Who this aggregator is in the consortium, and who the others are: by params version, because members and keys change.
 * "acks, votes and rules of its [an epoch's] periods stay under that version to the end …; elections and chain 0 use the
 * current one, and so does the leader" (PROTOCOL section 4, Setup): every signature is made for a version.
 */
export class Membership {
  readonly #own: readonly [OwnKey, ...OwnKey[]];
  readonly #view: LedgerView;
  readonly #memory: VerifiedSignatures;
  readonly #versions = new Map<number, Params>();
  #id: Uint8Array | undefined;
  #current: Params | undefined;

  /** @param secrets BIP-340 secrets, 32 bytes each: that of the version in force, and those of versions before and after. */
  constructor(
    secrets: readonly [Uint8Array, ...Uint8Array[]],
    modules: { readonly view: LedgerView; readonly memory: VerifiedSignatures },
  ) {
    const [first, ...others] = secrets.map((secret) => ({ secret, key: schnorr.publicKey(secret) }));
    this.#own = [first as OwnKey, ...others];
    this.#view = modules.view;
    this.#memory = modules.memory;
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

  /** This DA's x-only key in the version in force, 32 bytes; while it is no member there, the first that it has. */
  get key(): Uint8Array {
    return this.#ownIn(this.current).key;
  }

  /** Whether a key is this DA's in the version in force. */
  isOwn(key: Uint8Array): boolean {
    return this.indexIn(this.current) !== undefined && equalBytes(this.key, key);
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
    const index = da.findIndex((member) => this.#owns(member));
    return index < 0 ? undefined : index;
  }

  quorumOf({ da }: Params): number {
    return quorum(da.length);
  }

  /** Where the DA with this index in a version is asked; undefined where there is none. */
  addressIn({ da }: Params, index: number): Address | undefined {
    const member = da[index];
    return member && daAddress(member);
  }

  /** All other DAs of a params version. */
  peers({ da }: Params): Peer[] {
    const all = da.map((member, index) => ({ index, address: daAddress(member), key: member.key }));
    return all.filter(({ key }) => !this.#owns({ key }));
  }

  /** Signs as the member that this DA is in `params`. */
  sign<T>(kind: SigKind, codec: Codec<T>, body: T, params: Params): Signed<T> {
    return signStruct(kind, this.id, codec, body, this.#ownIn(params).secret);
  }

  verify(kind: SigKind, signed: Pick<Signed<unknown>, "bytes" | "sig">, key: Uint8Array): boolean {
    return verifySigned(kind, this.id, signed, key, this.#memory);
  }

  /** `sig("header", CBH)` of a block that this DA forms: a leader is one of the version in force. */
  signHash(cbh: Uint8Array): Uint8Array {
    return this.sign("header", { encode: () => cbh, decode: () => cbh }, cbh, this.current).sig;
  }

  #owns({ key }: Pick<Member, "key">): boolean {
    return this.#own.some((own) => equalBytes(own.key, key));
  }

  #ownIn({ da }: Params): OwnKey {
    const own = this.#own.find(({ key }) => da.some((member) => equalBytes(member.key, key)));
    return own ?? this.#own[0];
  }
}

function notStarted(): VeilgridError {
  return new VeilgridError("not-started", "the aggregator has not read the ledger yet", {
    blame: "caller",
    retry: true,
  });
}
