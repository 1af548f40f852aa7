import {
  VeilgridError,
  blockHash,
  consortiumId,
  equalBytes,
  headerCodec,
  merkleRoot,
  paramsCodec,
  verifyVotes,
  type Header,
  type LedgerView,
  type Params,
  type VerifiedSignatures,
} from "@veilgrid/protocol";

/** A committed block whose votes and Merkle root were verified. */
export interface CertifiedBlock {
  readonly header: Header;
  /** CBH, 32 bytes. */
  readonly cbh: Uint8Array;
  readonly leaves: readonly Uint8Array[];
}

function uncertified(why: string, region: number, number: bigint): VeilgridError {
  return new VeilgridError("uncertified-block", `a committed block does not hold: ${why}`, {
    facts: { region, number: number.toString(), why },
    blame: "ledger",
  });
}

/**
 * Reads committed blocks and relies on nothing but the consortium id: the header's hash with the votes of Q aggregators
 * over it, and the leaves under the header's Merkle root. "KGCBP and CC … act only on committed blocks with the Q votes
 * verified" (PROTOCOL section 4, Consensus); a customer does the same.
 */
export class CertifiedBlocks {
  readonly #view: LedgerView;
  readonly #memory: VerifiedSignatures | undefined;
  // Neither ever changes once it is there.
  readonly #params = new Map<number, Params>();
  #consortium: Uint8Array | undefined;

  /** @param memory shares verified votes with other roles of the process. */
  constructor(modules: { readonly view: LedgerView; readonly memory?: VerifiedSignatures | undefined }) {
    this.#view = modules.view;
    this.#memory = modules.memory;
  }

  /** The consortium id. @throws VeilgridError `not-set-up`; `wrong-consortium` if it is not that of params version 1. */
  async consortium(): Promise<Uint8Array> {
    if (this.#consortium !== undefined) return this.#consortium;
    const id = await this.#view.consortium();
    // "SHA-256 of its version 1 bytes is the consortium id, for ever."
    if (!equalBytes(consortiumId(paramsCodec.encode(await this.#view.params(1))), id)) {
      throw new VeilgridError("wrong-consortium", "the ledger's first parameters are not those of its consortium id", {
        blame: "ledger",
      });
    }
    this.#consortium = id;
    return id;
  }

  /** A version of the parameter set. @throws VeilgridError `wrong-params`. */
  async params(version: number): Promise<Params> {
    const params = this.#params.get(version) ?? (await this.#view.params(version));
    this.#params.set(version, params);
    return params;
  }

  /**
   * A committed block; undefined where there is none, or a closed month's leaves are gone.
   * @throws VeilgridError `uncertified-block`, and the refusals of the votes.
   */
  async block(region: number, number: bigint): Promise<CertifiedBlock | undefined> {
    const found = await this.#view.block(region, number);
    if (found === undefined) return undefined;
    const { block, cert } = found;
    const { header, leaves } = block;
    const consortium = await this.consortium();
    if (header.region !== region || header.number !== number) throw uncertified("another number", region, number);
    if (!equalBytes(header.consortium, consortium)) throw uncertified("another consortium", region, number);
    const cbh = blockHash(headerCodec.encode(header));
    verifyVotes(consortium, await this.params(header.params), cert, { ...header, cbh }, this.#memory);
    if (!equalBytes(merkleRoot(leaves), header.root)) throw uncertified("the Merkle root", region, number);
    return { header, cbh, leaves };
  }
}
