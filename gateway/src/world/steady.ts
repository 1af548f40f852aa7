import { isVeilgridError, VeilgridError, type StateReader } from "@veilgrid/protocol";
import type {
  ChannelBlocks,
  Call,
  Caller,
  Committed,
  LedgerBlock,
  LedgerClient,
  LedgerEvent,
  PeerLedger,
} from "../ports/ledger.js";

/** What the contract says no to, or is endorsed anew, is the roles' affair: they look at the ledger and try again. */
const ROLES_AFFAIR = ["endorse-refused", "mvcc-conflict"];

/**
 * A ledger whose failing the world hears of. The roles take any failure for one that time heals, and wait; but their time
 * is virtual and would run through all the windows of a run while the peers of real time are away.
 */
export class SteadyLedger implements PeerLedger {
  readonly #ledger: PeerLedger;
  #failure: VeilgridError | undefined;

  constructor(ledger: PeerLedger) {
    this.#ledger = ledger;
  }

  /** Why the ledger took a transaction no more, although it had been tried again and elsewhere. */
  get failure(): VeilgridError | undefined {
    return this.#failure;
  }

  as(caller: Caller): LedgerClient {
    const client = this.#ledger.as(caller);
    return {
      submit: (call) => this.#submit(client, call),
      evaluate: (call) => client.evaluate(call),
    };
  }

  async #submit(client: LedgerClient, call: Call): Promise<Committed> {
    try {
      const committed = await client.submit(call);
      if ((await this.height()) <= committed.blockNumber) this.#failure ??= notFollowed(committed);
      return committed;
    } catch (error) {
      return this.#note(error);
    }
  }

  #note(error: unknown): never {
    if (isVeilgridError(error) && !ROLES_AFFAIR.includes(error.code)) this.#failure ??= error;
    throw error;
  }

  get state(): StateReader {
    return this.#ledger.state;
  }

  get tip(): Uint8Array {
    return this.#ledger.tip;
  }

  height(): Promise<bigint> {
    return this.#ledger.height();
  }

  blocks(from: bigint): AsyncIterable<LedgerBlock> {
    return this.#ledger.blocks(from);
  }

  events(from: bigint): AsyncIterable<LedgerEvent> {
    return this.#ledger.events(from);
  }

  async channel(): Promise<ChannelBlocks | undefined> {
    return this.#ledger.channel?.();
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }
}

/** What is committed and cannot be read here yet: nobody may go on without it. */
function notFollowed({ blockNumber }: Committed): VeilgridError {
  const number = blockNumber.toString();
  return new VeilgridError("ledger-unavailable", `block ${number} is committed, and no peer gives it`, {
    facts: { block: number },
    blame: "operator",
    retry: true,
  });
}
