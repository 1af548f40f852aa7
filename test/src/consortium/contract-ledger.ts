// The ledger comes before the contract: it silences the libraries that the contract loads.
import { EmbeddedLedger, chaincodeOf, type Chaincode } from "@veilgrid/gateway";
import { packagedContract } from "@veilgrid/chaincode";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LedgerView, VerifiedSignatures, concat, paramsCodec, sha256, toHex, type Params } from "@veilgrid/protocol";
import type { TestLedger } from "./map-ledger.js";

/** 2013-04-01T00:00:00Z: the clock of transactions, which the contract never looks at. */
const NOW = Date.UTC(2013, 3, 1);

/** What a ledger call resolves to. */
type Committed = Awaited<ReturnType<ReturnType<EmbeddedLedger["as"]>["submit"]>>;

/** Bytes of a transaction's transient data, by name. */
export type Transient = Readonly<Record<string, Uint8Array>>;

/** The digest that a transaction's argument has to be. */
export function digestOf(...parts: readonly Uint8Array[]): string {
  return toHex(sha256(concat(...parts)));
}

/** One organisation's installation of the package with this parameter set. */
export function installed(params: Params, memory?: VerifiedSignatures): Chaincode {
  return chaincodeOf([packagedContract(paramsCodec.encode(params), memory)]);
}

/**
 * The contract behind fabric-shim's own dispatcher, at one endorser of each aggregator's organisation, all of whom have
 * to agree. The second remembers what it has verified, which must make no difference.
 */
export class ContractLedger implements TestLedger {
  readonly ledger: EmbeddedLedger;
  readonly view: LedgerView;
  readonly #path: string;

  private constructor(ledger: EmbeddedLedger, path: string) {
    this.ledger = ledger;
    this.view = new LedgerView(ledger.state);
    this.#path = path;
  }

  /**
   * @param packages the parameter set in each endorser's package: the same, unless a test says otherwise.
   * @param memory what the second endorser remembers.
   */
  static async open(
    params: Params,
    packages: readonly Params[] = params.da.map(() => params),
    memory = new VerifiedSignatures(10_000),
  ): Promise<ContractLedger> {
    const path = mkdtempSync(join(tmpdir(), "veilgrid-contract-"));
    const endorsers = packages.map((packaged, i) => {
      return { msp: `Da${i}`, chaincode: installed(packaged, i === 1 ? memory : undefined) };
    });
    const options = { path, channel: params.channel, endorsers, needed: endorsers.length };
    return new ContractLedger(await EmbeddedLedger.open(options, { clock: { now: () => NOW } }), path);
  }

  async close(): Promise<void> {
    await this.ledger.close();
    rmSync(this.#path, { recursive: true, force: true });
  }

  async contents(): Promise<string> {
    return `${(await this.ledger.height()).toString()} ${toHex(this.ledger.tip)}`;
  }

  call(msp: string, name: string, args: readonly string[] = [], transient: Transient = {}): Promise<Committed> {
    return this.ledger.as({ msp }).submit({ name, args, transient });
  }

  /** A query's answer. */
  async query(msp: string, name: string, ...args: readonly string[]): Promise<string> {
    return Buffer.from(await this.ledger.as({ msp }).evaluate({ name, args })).toString();
  }

  /** The package has the parameters: what is given here plays no part. */
  async setUp(): Promise<void> {
    await this.call("Kgcbp", "setup");
  }

  async submitBlock(block: Uint8Array, cert: Uint8Array, msp = "Da0"): Promise<void> {
    await this.call(msp, "submitBlock", [digestOf(block, cert)], { block, cert });
  }

  async submitElection(cert: Uint8Array, msp = "Da0"): Promise<void> {
    await this.call(msp, "submitElection", [digestOf(cert)], { cert });
  }
}
