import {
  LedgerView,
  applyBlock,
  applyElection,
  applySetup,
  blockCodec,
  blockHash,
  consortiumId,
  electionCodec,
  encodeCertificate,
  headerCodec,
  merkleRoot,
  paramsCodec,
  quorum,
  signBody,
  signStruct,
  voteCodec,
  type Header,
  type Params,
  type Signed,
  type StateReader,
  type Transition,
} from "@veilgrid/protocol";
import { SIGNER, knownSecret } from "./members.js";

/** What a block says, but for its place in the chain. */
export interface Draft extends Pick<Header, "region" | "kind" | "period" | "ts"> {
  readonly leaves: readonly Uint8Array[];
}

/** The bytes of a transaction of `submitBlock`. */
export interface SealedBlock {
  readonly block: Uint8Array;
  readonly cert: Uint8Array;
}

/**
 * A ledger on which the rules put each example as soon as it is made: what a chaincode would refuse is never written.
 * DA 0 leads in term 1, the first Q data aggregators vote.
 */
export class ExampleLedger implements StateReader {
  readonly #state = new Map<string, Uint8Array>();
  readonly view = new LedgerView(this);
  readonly params: Params;
  readonly consortium: Uint8Array;

  private constructor(params: Params) {
    this.params = params;
    this.consortium = consortiumId(paramsCodec.encode(params));
  }

  static async setUp(params: Params): Promise<ExampleLedger> {
    const ledger = new ExampleLedger(params);
    ledger.#apply(await applySetup(ledger.view, paramsCodec.encode(params)));
    return ledger;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#state.get(key));
  }

  #apply({ writes }: Transition): void {
    for (const { key, value } of writes) {
      if (value === undefined) this.#state.delete(key);
      else this.#state.set(key, value);
    }
  }

  /** What each of the first Q data aggregators signs. */
  #byQuorum<T>(sign: (index: number, secret: Uint8Array) => Signed<T>): Uint8Array {
    const voters = Array.from({ length: quorum(this.params.da.length) }, (_, index) => index);
    return encodeCertificate(voters.map((index) => sign(index, knownSecret(SIGNER.da(index)))));
  }

  /** Elects DA 0 for term 1. @returns the certificate. */
  async elect(): Promise<Uint8Array> {
    const body = { params: this.params.version, term: 1n, candidate: 0 };
    const cert = this.#byQuorum((voter, secret) =>
      signStruct("election", this.consortium, electionCodec, { ...body, voter }, secret),
    );
    this.#apply(await applyElection(this.view, cert));
    return cert;
  }

  /** Seals a draft as its chain's next block and has it voted for. */
  async commit({ leaves, ...said }: Draft): Promise<SealedBlock> {
    const { consortium, params } = this;
    const { number, cbh: prev } = await this.view.head(said.region);
    const { term, leader } = await this.view.term();
    const place = { consortium, params: params.version, number: number + 1n, prev, term, leader: leader as Uint8Array };
    const content = { root: merkleRoot(leaves), count: leaves.length, round: 0, aggFault: false };
    const header: Header = { ...said, ...place, ...content };
    const cbh = blockHash(headerCodec.encode(header));
    const scbh = signBody("header", consortium, cbh, knownSecret(SIGNER.da(0)));
    const block = blockCodec.encode({ header, scbh, leaves });
    const { region, round } = header;
    const body = { params: header.params, region, number: header.number, term, round, cbh };
    const cert = this.#byQuorum((da, secret) => signStruct("vote", consortium, voteCodec, { ...body, da }, secret));
    this.#apply(await applyBlock(this.view, block, cert));
    return { block, cert };
  }
}
