import {
  KIND,
  decodeLeaf,
  decodeVotes,
  equalBytes,
  quorum,
  verifyBody,
  type Header,
  type Params,
  type SigKind,
} from "@veilgrid/protocol";
import type { HistoricLedger, World } from "@veilgrid/gateway";
import { withHistory } from "@veilgrid/gateway";
import { LedgerView } from "@veilgrid/protocol";

/** Which of the issuers signs the leaves of a kind, and how. */
const ISSUED: ReadonlyMap<number, { readonly issuer: "cc" | "kgcbp"; readonly sig: SigKind }> = new Map([
  [KIND.epoch, { issuer: "kgcbp", sig: "epoch" }],
  [KIND.masks, { issuer: "kgcbp", sig: "mask" }],
  [KIND.prices, { issuer: "cc", sig: "price" }],
  [KIND.bills, { issuer: "kgcbp", sig: "bills" }],
  [KIND.close, { issuer: "kgcbp", sig: "close" }],
]);

/** What the blocks of a version are signed with. */
export interface SignedUnder {
  readonly version: number;
  readonly blocks: number;
  /** How many votes each of them has. */
  readonly votes: ReadonlySet<number>;
  /** The aggregators that voted for any. */
  readonly voters: ReadonlySet<string>;
  /** Leaves by kind, whose issuer's signature is that of the version's key. */
  readonly issued: ReadonlyMap<number, number>;
  /** Signatures that are good under a key that the version does not name, or bad under the one that it names. */
  readonly astray: number;
}

interface Tallied {
  blocks: number;
  readonly votes: Set<number>;
  readonly voters: Set<string>;
  readonly issued: Map<number, number>;
  astray: number;
}

/** Reads every signature of the ledger's certificates and issuers, and under which version's keys it is good. */
class Signatures {
  readonly #view: LedgerView;
  readonly #consortium: Uint8Array;
  readonly #versions: readonly Params[];
  readonly #tallied: Map<number, Tallied>;

  constructor(view: LedgerView, consortium: Uint8Array, versions: readonly Params[]) {
    this.#view = view;
    this.#consortium = consortium;
    this.#versions = versions;
    this.#tallied = new Map(
      versions.map(({ version }) => [
        version,
        { blocks: 0, votes: new Set(), voters: new Set(), issued: new Map(), astray: 0 },
      ]),
    );
  }

  /** By version, ascending. */
  get tallied(): SignedUnder[] {
    return [...this.#tallied].map(([version, one]) => ({ version, ...one }));
  }

  async add(region: number, number: bigint): Promise<void> {
    const found = await this.#view.block(region, number);
    if (found === undefined) throw new Error(`block ${number} of chain ${region} is gone`);
    const { header, leaves } = found.block;
    const params = this.#versions.find(({ version }) => version === header.params);
    const one = this.#tallied.get(header.params);
    if (params === undefined || one === undefined) throw new Error(`no version ${header.params}`);
    one.blocks += 1;
    this.#votes(found.cert, params, one);
    for (const leaf of leaves) this.#leaf(header, leaf, params, one);
  }

  #votes(cert: Uint8Array, params: Params, one: Tallied): void {
    const votes = decodeVotes(cert, quorum(params.da.length));
    one.votes.add(votes.length);
    for (const { body, bytes, sig } of votes) {
      const { msp, key } = params.da[body.da] ?? { msp: "", key: new Uint8Array(32) };
      one.voters.add(msp);
      const others = this.#keysOf(({ da }) => da.find((member) => member.msp === msp)?.key, key);
      one.astray += this.#strays("vote", { body: bytes, sig }, key, others);
    }
  }

  #leaf({ kind }: Header, leaf: Uint8Array, params: Params, one: Tallied): void {
    const issued = ISSUED.get(kind);
    if (issued === undefined) return;
    const { key } = params[issued.issuer];
    const others = this.#keysOf((version) => version[issued.issuer].key, key);
    one.issued.set(kind, 1 + (one.issued.get(kind) ?? 0));
    one.astray += this.#strays(issued.sig, decodeLeaf(leaf), key, others);
  }

  /** The party's other keys. */
  #keysOf(of: (params: Params) => Uint8Array | undefined, than: Uint8Array): Uint8Array[] {
    return this.#versions.flatMap((version) => of(version) ?? []).filter((key) => !equalBytes(key, than));
  }

  #strays(
    kind: SigKind,
    { body, sig }: { readonly body: Uint8Array; readonly sig: Uint8Array },
    key: Uint8Array,
    others: readonly Uint8Array[],
  ): number {
    const isGood = (by: Uint8Array): boolean => verifyBody(kind, this.#consortium, body, sig, by);
    return Number(!isGood(key)) + others.filter(isGood).length;
  }
}

/** What each version's blocks of all chains are signed with; the leaves of closed months are read from the blocks. */
export function signedUnder({ ledger, view }: Pick<World, "ledger" | "view">): Promise<SignedUnder[]> {
  return withHistory(ledger satisfies HistoricLedger, async (state) => {
    const versions: Params[] = [];
    const { version } = await view.currentParams();
    for (let at = 1; at <= version; at += 1) versions.push(await view.params(at));
    const signatures = new Signatures(new LedgerView(state), await view.consortium(), versions);
    for (const region of [0, ...(await view.regions())]) {
      const { number } = await view.head(region);
      for (let at = 1n; at <= number; at += 1n) await signatures.add(region, at);
    }
    return signatures.tallied;
  });
}
