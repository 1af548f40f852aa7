import type { GatewayPort } from "./port.js";

/**
 * Has a gateway's peer catch up with what this process has seen committed before it is asked: whoever is told that a
 * transaction is committed must find its effect, whichever gateway and caller comes next.
 */
export class Freshness {
  readonly #seen = new Map<string, bigint>();
  #newest: { readonly txId: string; readonly blockNumber: bigint } | undefined;

  /** Gateway `msp` told that the transaction is in this block. */
  committed(msp: string, txId: string, blockNumber: bigint): void {
    this.#raise(msp, blockNumber);
    if (blockNumber > (this.#newest?.blockNumber ?? -1n)) this.#newest = { txId, blockNumber };
  }

  /** Waits until the gateway's peer has the newest of those blocks. Throws what fabric-gateway throws. */
  async of(gateway: GatewayPort): Promise<void> {
    const newest = this.#newest;
    if (newest === undefined || (this.#seen.get(gateway.msp) ?? -1n) >= newest.blockNumber) return;
    await gateway.outcome(newest.txId);
    this.#raise(gateway.msp, newest.blockNumber);
  }

  #raise(msp: string, blockNumber: bigint): void {
    if (blockNumber > (this.#seen.get(msp) ?? -1n)) this.#seen.set(msp, blockNumber);
  }
}
