import {
  applyBlock,
  applyElection,
  applySetup,
  LedgerView,
  paramsCodec,
  toHex,
  type Transition,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import fabric, { Context, Contract } from "fabric-contract-api";
import { requireRole } from "./caller.js";
import * as queries from "./queries.js";
import { refusing } from "./refused.js";
import { putWrites, stubState } from "./stubState.js";
import { transientParts } from "./transient.js";

const { Info, Returns, Transaction } = fabric;

/**
 * The in-chaincode vPBFT validation layer and the ledger's state. A block or a leader's certificate is validated
 * completely by the protocol's pure rules before a byte is written; nothing here looks at a clock, at randomness or at
 * the transaction's time stamp.
 */
@Info({ title: "Veilgrid", description: "Private smart metering and dynamic billing: blocks, prices, bills" })
export class VeilgridContract extends Contract {
  readonly #packagedParams: Uint8Array;
  readonly #memory: VerifiedSignatures | undefined;

  /**
   * @param packagedParams version 1 of the parameter set, as the organisations approved it with the package.
   * @param memory what this process has verified before; absent, everything is verified each time.
   */
  constructor(packagedParams: Uint8Array, memory?: VerifiedSignatures) {
    super("veilgrid");
    this.#packagedParams = packagedParams;
    this.#memory = memory;
  }

  /** Stores exactly the packaged parameter set, once. Returns the consortium id in hex. */
  @Transaction()
  @Returns("string")
  async setup(ctx: Context): Promise<string> {
    return refusing(async () => {
      requireRole(ctx.clientIdentity.getMSPID(), "member", paramsCodec.decode(this.#packagedParams));
      const transition = await applySetup(new LedgerView(stubState(ctx.stub)), this.#packagedParams);
      await this.#commit(ctx, transition);
      return toHex(transition.event.payload);
    });
  }

  /** Accepts a block with its certificate of votes; the bytes are transient data `block` and `cert`. */
  @Transaction()
  @Returns("string")
  async submitBlock(ctx: Context, digest: string): Promise<string> {
    return refusing(async () => {
      const view = await this.#aggregatorView(ctx);
      const [block, cert] = transientParts(ctx.stub, ["block", "cert"], digest) as [Uint8Array, Uint8Array];
      await this.#commit(ctx, await applyBlock(view, block, cert, this.#memory));
      return digest;
    });
  }

  /** Accepts a certificate of Q election votes; the bytes are transient data `cert`. */
  @Transaction()
  @Returns("string")
  async submitElection(ctx: Context, digest: string): Promise<string> {
    return refusing(async () => {
      const view = await this.#aggregatorView(ctx);
      const [cert] = transientParts(ctx.stub, ["cert"], digest) as [Uint8Array];
      await this.#commit(ctx, await applyElection(view, cert, this.#memory));
      return digest;
    });
  }

  async #aggregatorView(ctx: Context): Promise<LedgerView> {
    const view = new LedgerView(stubState(ctx.stub));
    requireRole(ctx.clientIdentity.getMSPID(), "aggregator", await view.currentParams());
    return view;
  }

  async #commit(ctx: Context, { writes, event }: Transition): Promise<void> {
    await putWrites(ctx.stub, writes);
    ctx.stub.setEvent(event.name, event.payload);
  }

  /** Consortium id, parameter set in force, term and leader. */
  @Transaction(false)
  @Returns("string")
  async consortium(ctx: Context): Promise<string> {
    return refusing(() => queries.consortiumAnswer(this.#view(ctx)));
  }

  /** Number, hash and TS of a chain's newest block. */
  @Transaction(false)
  @Returns("string")
  async head(ctx: Context, region: string): Promise<string> {
    return refusing(() => queries.headAnswer(this.#view(ctx), queries.regionArgument(region)));
  }

  /** A block and its certificate by region and number. */
  @Transaction(false)
  @Returns("string")
  async block(ctx: Context, region: string, number: string): Promise<string> {
    return refusing(() => queries.blockAnswer(this.#view(ctx), queries.regionArgument(region), number));
  }

  /** The readings block of a region-period. */
  @Transaction(false)
  @Returns("string")
  async readings(ctx: Context, region: string, month: string, k: string): Promise<string> {
    return refusing(() =>
      queries.readingsAnswer(this.#view(ctx), queries.regionArgument(region), queries.periodArgument(month, k)),
    );
  }

  /** The mask release of a region-period. */
  @Transaction(false)
  @Returns("string")
  async mask(ctx: Context, region: string, month: string, k: string): Promise<string> {
    return refusing(() =>
      queries.maskAnswer(this.#view(ctx), queries.regionArgument(region), queries.periodArgument(month, k)),
    );
  }

  /** The price of a region-period, with its basis and the region's consumption in Wh. */
  @Transaction(false)
  @Returns("string")
  async price(ctx: Context, region: string, month: string, k: string): Promise<string> {
    return refusing(() =>
      queries.priceAnswer(this.#view(ctx), queries.regionArgument(region), queries.periodArgument(month, k)),
    );
  }

  /** The newest revision of a bill, by BID (hex) and month (YYYY-MM). */
  @Transaction(false)
  @Returns("string")
  async bill(ctx: Context, bid: string, month: string): Promise<string> {
    return refusing(() => queries.billAnswer(this.#view(ctx), bid, month));
  }

  /** The region-periods with an open fault. */
  @Transaction(false)
  @Returns("string")
  async openFaults(ctx: Context): Promise<string> {
    return refusing(() => queries.openFaultsAnswer(ctx.stub));
  }

  /** One value of the state, base64, empty where there is none: what a role's own view of the ledger reads by. */
  @Transaction(false)
  @Returns("string")
  async state(ctx: Context, key: string): Promise<string> {
    return Buffer.from(await ctx.stub.getState(key)).toString("base64");
  }

  #view(ctx: Context): LedgerView {
    return new LedgerView(stubState(ctx.stub));
  }
}

/** The contract class that Fabric instantiates without arguments, bound to a packaged parameter set. */
export function packagedContract(params: Uint8Array, memory?: VerifiedSignatures): new () => VeilgridContract {
  return class extends VeilgridContract {
    constructor() {
      super(params, memory);
    }
  };
}
