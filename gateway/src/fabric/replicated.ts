import type { StateReader } from "@veilgrid/protocol";
import { ledgerStopped } from "../ledger/errors.js";
import type { Caller, LedgerBlock, LedgerClient, LedgerEvent, PeerLedger } from "../ports/ledger.js";
import type { Replica } from "./replica.js";

/** A ledger elsewhere, of which this process keeps a copy: what is committed is read from the copy, and the rest is asked. */
export abstract class ReplicatedLedger implements PeerLedger {
  protected readonly replica: Replica;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  protected constructor(replica: Replica) {
    this.replica = replica;
  }

  get state(): StateReader {
    return this.replica.state;
  }

  get tip(): Uint8Array {
    return this.replica.tip;
  }

  height(): Promise<bigint> {
    return Promise.resolve(this.replica.height);
  }

  blocks(from: bigint): AsyncIterable<LedgerBlock> {
    return this.replica.blocks(from);
  }

  events(from: bigint): AsyncIterable<LedgerEvent> {
    return this.replica.events(from);
  }

  /**
   * The client of an organisation, with the certificate and key that this process has for it.
   * @throws VeilgridError `no-client`.
   */
  as({ msp }: Caller): LedgerClient {
    const client = this.clientOf(msp);
    return {
      submit: (call) => this.#track(() => client.submit(call)),
      evaluate: (call) => this.#track(() => client.evaluate(call)),
    };
  }

  /** Takes no more calls: later ones are refused with `ledger-unavailable`. Once. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.end(async () => {
      await Promise.allSettled(this.#underWay);
    });
  }

  /** @throws VeilgridError `no-client`. */
  protected abstract clientOf(msp: string): LedgerClient;

  /** Closes what this is made of. @param calls resolves when no call is under way any more. */
  protected abstract end(calls: () => Promise<void>): Promise<void>;

  #track<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(ledgerStopped("it is closed"));
    const work = call();
    this.#underWay.add(work);
    return work.finally(() => this.#underWay.delete(work));
  }
}
