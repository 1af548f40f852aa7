import {
  applyBlock,
  applyElection,
  applySetup,
  headerCodec,
  HEADER_BYTES,
  LedgerView,
  paramsCodec,
  toHex,
  type Transition,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import fabric, { Context, Contract } from "fabric-contract-api";
import { hasRole, isMember, requireOrganisation } from "./caller.js";
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
      const msp = ctx.clientIdentity.getMSPID();
      // "set-up any member's MSP"
      requireOrganisation(hasRole(msp, "member", paramsCodec.decode(this.#packagedParams)), msp, "member");
      const transition = await applySetup(viewOf(ctx), this.#packagedParams);
      await commit(ctx, transition);
      return toHex(transition.event.payload);
    });
  }

  /** Accepts a block with its certificate of votes; the bytes are transient data `block` and `cert`. */
  @Transaction()
  @Returns("string")
  async submitBlock(ctx: Context, digest: string): Promise<string> {
    return refusing(async () => {
      const view = viewOf(ctx);
      const [block, cert] = transientParts(ctx.stub, ["block", "cert"], digest) as [Uint8Array, Uint8Array];
      await requireAggregator(ctx, view, () => headerCodec.decode(block.subarray(0, HEADER_BYTES)).params);
      await commit(ctx, await applyBlock(view, block, cert, this.#memory));
      return digest;
    });
  }

  /** Accepts a certificate of Q election votes; the bytes are transient data `cert`. */
  @Transaction()
  @Returns("string")
  async submitElection(ctx: Context, digest: string): Promise<string> {
    return refusing(async () => {
      const view = viewOf(ctx);
      const [cert] = transientParts(ctx.stub, ["cert"], digest) as [Uint8Array];
      await requireAggregator(ctx, view);
      await commit(ctx, await applyElection(view, cert, this.#memory));
      return digest;
    });
  }

  /** Consortium id, parameter set in force, term and leader. */
  @Transaction(false)
  @Returns("string")
  async consortium(ctx: Context): Promise<string> {
    return answering(ctx, queries.consortiumAnswer);
  }

  /** Number, hash and TS of a chain's newest block. */
  @Transaction(false)
  @Returns("string")
  async head(ctx: Context, region: string): Promise<string> {
    return answering(ctx, (view) => queries.headAnswer(view, queries.regionArgument(region)));
  }

  /** A block and its certificate by region and number. */
  @Transaction(false)
  @Returns("string")
  async block(ctx: Context, region: string, number: string): Promise<string> {
    return answering(ctx, (view) =>
      queries.blockAnswer(view, queries.regionArgument(region), queries.numberArgument(number)),
    );
  }

  /** The readings block of a region-period. */
  @Transaction(false)
  @Returns("string")
  async readings(ctx: Context, region: string, month: string, k: string): Promise<string> {
    return answering(ctx, (view) =>
      queries.readingsAnswer(view, queries.regionArgument(region), queries.periodArgument(month, k)),
    );
  }

  /** The mask release of a region-period. */
  @Transaction(false)
  @Returns("string")
  async mask(ctx: Context, region: string, month: string, k: string): Promise<string> {
    return answering(ctx, (view) =>
      queries.maskAnswer(view, queries.regionArgument(region), queries.periodArgument(month, k)),
    );
  }

  /** The price of a region-period, with its basis and the region's consumption in Wh. */
  @Transaction(false)
  @Returns("string")
  async price(ctx: Context, region: string, month: string, k: string): Promise<string> {
    return answering(ctx, (view) =>
      queries.priceAnswer(view, queries.regionArgument(region), queries.periodArgument(month, k)),
    );
  }

  /** The newest revision of a bill, by BID (hex) and month (YYYY-MM). */
  @Transaction(false)
  @Returns("string")
  async bill(ctx: Context, bid: string, month: string): Promise<string> {
    return answering(ctx, (view) => queries.billAnswer(view, queries.bidArgument(bid), queries.monthArgument(month)));
  }

  /** The region-periods with an open fault. */
  @Transaction(false)
  @Returns("string")
  async openFaults(ctx: Context): Promise<string> {
    return answering(ctx, () => queries.openFaultsAnswer(ctx.stub));
  }

  /** One value of the state, base64, empty where there is none: what a role's own view of the ledger reads by. */
  @Transaction(false)
  @Returns("string")
  async state(ctx: Context, key: string): Promise<string> {
    return answering(ctx, () => queries.stateAnswer(ctx.stub, key));
  }
}

function viewOf(ctx: Context): LedgerView {
  return new LedgerView(stubState(ctx.stub));
}

/** "elections and blocks a DA's MSP (of the params that they name or the current one)"; an election names the current. */
async function requireAggregator(ctx: Context, view: LedgerView, named?: () => number): Promise<void> {
  const msp = ctx.clientIdentity.getMSPID();
  const current = hasRole(msp, "aggregator", await view.currentParams());
  const may = current || (named !== undefined && hasRole(msp, "aggregator", await view.params(named())));
  requireOrganisation(may, msp, "aggregator");
}

async function commit(ctx: Context, { writes, event }: Transition): Promise<void> {
  await putWrites(ctx.stub, writes);
  ctx.stub.setEvent(event.name, event.payload);
}

/** "queries any member's MSP" */
async function answering(ctx: Context, answer: (view: LedgerView) => Promise<string>): Promise<string> {
  return refusing(async () => {
    const view = viewOf(ctx);
    const msp = ctx.clientIdentity.getMSPID();
    requireOrganisation(await isMember(view, msp), msp, "member");
    return answer(view);
  });
}

/** The contract class that Fabric instantiates without arguments, bound to a packaged parameter set. */
export function packagedContract(params: Uint8Array, memory?: VerifiedSignatures): new () => VeilgridContract {
  class Packaged extends VeilgridContract {
    constructor() {
      super(params, memory);
    }
  }
  // The contract API finds a contract's @Info by the name of its class.
  Object.defineProperty(Packaged, "name", { value: VeilgridContract.name });
  return Packaged;
}
