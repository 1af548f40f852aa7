import {
  VeilgridError,
  blockHash,
  consortiumId,
  equalBytes,
  headerCodec,
  merkleRoot,
  paramsProof,
  paramsCodec,
  verifySuccessor,
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

  /**
   * A version of the parameter set, proved by the votes of the version before, and so back to the consortium id.
   * @throws VeilgridError `wrong-params` where there is none; `uncertified-block`, and the refusals of votes and leaf.
   */
  async params(version: number): Promise<Params> {
    const known = this.#params.get(version);
    if (known !== undefined) return known;
    const consortium = await this.consortium();
    const stated = await this.#view.params(version);
    // Version 1 is the consortium id's own.
    const params = version === 1 ? stated : await this.#proved(version, consortium);
    this.#params.set(version, params);
    return params;
  }

  async #proved(version: number, consortium: Uint8Array): Promise<Params> {
    const before = await this.params(version - 1);
    const proof = await paramsProof(this.#view, version);
    if (proof === undefined) throw uncertified("parameters without their block", 0, 0n);
    return verifySuccessor(consortium, before, proof, this.#memory).params;
  }

  /** "elections and chain 0 use the current one": the version current before the block, or retired keys would prove something. */
  async #checkVersion({ region, number, params }: Header): Promise<void> {
    if (region !== 0) return;
    const since = (await this.#view.paramsBlock(params)) ?? 0n;
    const until = await this.#view.paramsBlock(params + 1);
    const current = since < number && (until === undefined || number <= until);
    if (!current) throw uncertified("a version that was not in force", region, number);
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
    await this.#checkVersion(header);
    if (!equalBytes(merkleRoot(leaves), header.root)) throw uncertified("the Merkle root", region, number);
    return { header, cbh, leaves };
  }
}
