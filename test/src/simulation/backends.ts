// The ledger comes before the contract: it silences the libraries that the contract loads.
import { EmbeddedLedger, chaincodeOf, type Call, type LedgerBlock } from "@veilgrid/gateway";
import { packagedContract } from "@veilgrid/chaincode";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  LedgerView,
  VeilgridError,
  applySetup,
  paramsCodec,
  quorum,
  type Params,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { RealWork } from "./real-work.js";
import { Replica } from "./replica.js";
import { RuleLedger, type Rules } from "./rule-ledger.js";

/** What came of a transaction that was ordered. */
export interface Ordered {
  /** The blocks that are new. */
  readonly blocks: readonly LedgerBlock[];
  /** Why the transaction is not valid, if it is not. */
  readonly failure: VeilgridError | undefined;
}

/** A ledger behind the organisations' peers. */
export interface Backend {
  /** Stores the parameter set. */
  setUp(): Promise<readonly LedgerBlock[]>;
  /**
   * Has a call endorsed by these organisations; what it gives orders it.
   * @throws VeilgridError as a LedgerClient's `submit`.
   */
  endorse(
    caller: string,
    call: Call,
    endorsers: readonly (readonly [msp: string, Replica])[],
  ): Promise<() => Promise<Ordered>>;
  close(): Promise<void>;
}

function conflict(): VeilgridError {
  return new VeilgridError("mvcc-conflict", "what the transaction read has changed", { blame: "nobody", retry: true });
}

/** The contract's rules on each peer's own state; no contract, no disk. */
export class RulesBackend implements Backend {
  readonly #ledger: RuleLedger;
  readonly #params: Params;

  constructor(params: Params, memory: VerifiedSignatures, rules?: Rules) {
    this.#ledger = new RuleLedger(memory, rules);
    this.#params = params;
  }

  async setUp(): Promise<readonly LedgerBlock[]> {
    const transition = await applySetup(new LedgerView(new Replica()), paramsCodec.encode(this.#params));
    const call = { name: "setup", args: [] };
    return [this.#ledger.append({ call, caller: this.#params.kgcbp.msp, transition, validation: "VALID" })];
  }

  async endorse(
    caller: string,
    call: Call,
    endorsers: readonly (readonly [string, Replica])[],
  ): Promise<() => Promise<Ordered>> {
    const endorsed = await this.#ledger.endorse(
      caller,
      call,
      endorsers.map(([, replica]) => replica),
    );
    return () => {
      const block = this.#ledger.order(endorsed);
      const failure = block.transactions[0]?.validation === "VALID" ? undefined : conflict();
      return Promise.resolve({ blocks: [block], failure });
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The real contract behind fabric-shim's own dispatcher, on the gateway's embedded ledger. */
export class EmbeddedBackend implements Backend {
  readonly #ledger: EmbeddedLedger;
  readonly #path: string;
  readonly #work: RealWork;
  readonly #params: Params;
  #known = 0n;

  private constructor(ledger: EmbeddedLedger, path: string, params: Params, work: RealWork) {
    this.#ledger = ledger;
    this.#path = path;
    this.#params = params;
    this.#work = work;
  }

  static async open(
    params: Params,
    modules: { readonly memory: VerifiedSignatures; readonly work: RealWork; readonly now: () => number },
  ): Promise<EmbeddedBackend> {
    const path = mkdtempSync(join(tmpdir(), "veilgrid-simulation-"));
    const endorsers = params.da.map(({ msp }) => ({
      msp,
      chaincode: chaincodeOf([packagedContract(paramsCodec.encode(params), modules.memory)]),
    }));
    const options = { path, channel: params.channel, endorsers, needed: quorum(params.da.length) };
    return new EmbeddedBackend(await EmbeddedLedger.open(options, { clock: modules }), path, params, modules.work);
  }

  async setUp(): Promise<readonly LedgerBlock[]> {
    await this.#ledger.as({ msp: this.#params.kgcbp.msp }).submit({ name: "setup", args: [] });
    return this.#news();
  }

  endorse(
    caller: string,
    call: Call,
    endorsers: readonly (readonly [string, Replica])[],
  ): Promise<() => Promise<Ordered>> {
    const up = new Set(endorsers.map(([msp]) => msp));
    return Promise.resolve(() => this.#work.track(this.#submit(caller, call, up)));
  }

  /** The embedded ledger endorses and orders in one go. */
  async #submit(caller: string, call: Call, up: ReadonlySet<string>): Promise<Ordered> {
    for (const { msp } of this.#params.da) this.#ledger.setAvailable(msp, up.has(msp));
    let failure: VeilgridError | undefined;
    try {
      await this.#ledger.as({ msp: caller }).submit(call);
    } catch (error) {
      if (!(error instanceof VeilgridError)) throw error;
      failure = error;
    }
    return { blocks: await this.#news(), failure };
  }

  async #news(): Promise<LedgerBlock[]> {
    const blocks: LedgerBlock[] = [];
    for await (const block of this.#ledger.blocks(this.#known)) blocks.push(block);
    this.#known += BigInt(blocks.length);
    return blocks;
  }

  async close(): Promise<void> {
    await this.#ledger.close();
    rmSync(this.#path, { recursive: true, force: true });
  }
}
