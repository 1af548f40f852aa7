import {
  BASIS,
  KIND,
  decodeLeaf,
  equalBytes,
  headerCodec,
  maskCodec,
  periodEnd,
  priceCodec,
  type Header,
  type LedgerView,
  type Period,
  type Price,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { CertifiedBlocks } from "../committed/blocks.js";
import { Issuer } from "../committed/issuer.js";
import { Outbox, transactionStep } from "../committed/outbox.js";
import type { PricePolicy } from "../input/policy.js";
import type { Clock, Timer } from "../ports/clock.js";
import type { LedgerEvent } from "../ports/ledger.js";
import { silent, type Log } from "../ports/log.js";
import type { Handler, Transport } from "../ports/transport.js";
import { Standings, type Standing } from "./standing.js";
import { gapBefore, unpricedPeriods } from "./unpriced.js";

/** How the control center works. */
export interface CcOptions {
  /** Its BIP-340 signing key, 32 bytes. */
  readonly secret: Uint8Array;
  /** Its keys in other versions of the parameter set. */
  readonly otherSecrets?: readonly Uint8Array[];
  readonly policy: PricePolicy;
}

/** What it works with; it keeps nothing of its own, the ledger has it all. */
export interface CcModules {
  readonly clock: Clock;
  readonly transport: Transport;
  /** CC's peer, or a quorum of DA peers. */
  readonly view: LedgerView;
  readonly memory?: VerifiedSignatures;
  readonly log?: Log;
}

/** A price on its way. */
interface Sent {
  readonly region: number;
  readonly period: Period;
  readonly body: Uint8Array;
}

function name(region: number, { month, k }: Period): string {
  return `price/${region}/${month}/${k}`;
}

/**
 * The control center [4.1]: learns the regional sum of each period from the ledger, and sets the period's price by its
 * policy (PROTOCOL section 4, Dynamic pricing). It is honest but curious, and sees nothing that is not on the ledger.
 */
export class ControlCenter {
  readonly #options: CcOptions;
  readonly #clock: Clock;
  readonly #view: LedgerView;
  readonly #blocks: CertifiedBlocks;
  readonly #standings: Standings;
  readonly #outbox: Outbox;
  readonly #log: Log;
  #issuer: Issuer | undefined;
  readonly #sent = new Map<string, Sent>();
  /** Periods whose release is awaited, until it is late. */
  readonly #waiting = new Map<string, Timer>();

  constructor(options: CcOptions, modules: CcModules) {
    this.#options = options;
    this.#clock = modules.clock;
    this.#view = modules.view;
    this.#blocks = new CertifiedBlocks(modules);
    this.#standings = new Standings(modules.view, this.#blocks);
    this.#outbox = new Outbox(modules);
    this.#log = modules.log ?? silent;
  }

  /** Prices everything that the ledger shows without a price. */
  async start(): Promise<void> {
    if (!(await this.#view.isSetUp())) return;
    for (const region of await this.#view.regions()) {
      for await (const { period, covered } of unpricedPeriods(this.#view, region)) {
        await (covered ? this.#price(region, period) : this.#priceUncovered(region, period));
      }
    }
  }

  stop(): void {
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
    this.#sent.clear();
    this.#outbox.stop();
  }

  /** Nobody asks CC anything yet. */
  readonly handle: Handler = () => Promise.resolve();

  async onLedgerEvent({ name: event, payload }: LedgerEvent): Promise<void> {
    if (event === "block") await this.#onBlock(headerCodec.decode(payload));
  }

  async #onBlock(header: Header): Promise<void> {
    const { kind, region, period } = header;
    switch (kind) {
      case KIND.params:
        return this.#onParams();
      case KIND.epoch:
        for (const missed of await gapBefore(this.#view, region, period)) await this.#priceUncovered(region, missed);
        return;
      case KIND.readings:
        return this.#price(region, period);
      case KIND.masks:
        return this.#onMasks(header);
      case KIND.prices:
        return this.#onPrices(header);
    }
  }

  /** Another version of the parameter set is in force: what is on its way is signed by its key. */
  async #onParams(): Promise<void> {
    const issuer = await this.#opened();
    await issuer.refresh();
    await this.#outbox.renew(issuer.renewed);
  }

  async #onMasks({ number }: Header): Promise<void> {
    const block = await this.#blocks.block(0, number);
    for (const leaf of block?.leaves ?? []) {
      const { region, period } = maskCodec.decode(decodeLeaf(leaf).body);
      await this.#price(region, period);
    }
  }

  async #onPrices({ number }: Header): Promise<void> {
    await this.#blocks.block(0, number);
    for (const { region, period } of [...this.#sent.values()]) await this.#isPriced(region, period);
  }

  /** Whether the period has its price; then nothing is left to do for it. */
  async #isPriced(region: number, period: Period): Promise<boolean> {
    const price = await this.#view.price(region, period);
    if (price === undefined) return false;
    const slot = name(region, period);
    this.#forget(slot);
    this.#outbox.remove(slot);
    if (this.#sent.delete(slot)) {
      this.#log("info", "price-committed", { region, month: period.month, k: period.k, basis: price.basis });
    }
    return true;
  }

  #forget(slot: string): void {
    this.#waiting.get(slot)?.cancel();
    this.#waiting.delete(slot);
  }

  async #price(region: number, period: Period): Promise<void> {
    if (await this.#isPriced(region, period)) return;
    const standing = await this.#standings.of(region, period);
    if (standing === undefined) return;
    // "*late release* (no release committed …, and TS >= window end + `releaseSeconds`)"
    if (standing.basis === BASIS.lateRelease && this.#clock.now() < standing.lateFrom) {
      this.#wait(region, period, standing.lateFrom, () => this.#price(region, period));
      return;
    }
    await this.#send(this.#priced(region, period, standing));
  }

  #wait(region: number, period: Period, until: number, action: () => Promise<void>): void {
    const slot = name(region, period);
    this.#forget(slot);
    this.#waiting.set(slot, this.#clock.at(until, `price of region ${region}`, action));
  }

  /** The policy sees the sum only where one was released; otherwise it gives its stated fallback. */
  #priced(region: number, period: Period, { basis, consumption, cbh }: Omit<Standing, "lateFrom">): Price {
    const known = basis === BASIS.measured ? consumption : undefined;
    const price = this.#options.policy.price(region, period, known);
    return { region, period, price, basis, consumption, cbh };
  }

  /** "*no-epoch* (no epoch covers it and TS >= end(k); for deltas)" */
  async #priceUncovered(region: number, period: Period): Promise<void> {
    if (await this.#isPriced(region, period)) return;
    const { periodSeconds } = await this.#view.currentParams();
    const ends = periodEnd(period, periodSeconds);
    if (this.#clock.now() < ends) {
      this.#wait(region, period, ends, () => this.#priceUncovered(region, period));
      return;
    }
    const standing = { basis: BASIS.noEpoch, consumption: 0n, cbh: new Uint8Array(32) };
    await this.#send(this.#priced(region, period, standing));
  }

  /** A release that gets in before a *late release* price makes that one invalid: then the price is another. */
  async #send(price: Price): Promise<void> {
    const { region, period } = price;
    const slot = name(region, period);
    this.#forget(slot);
    const body = priceCodec.encode(price);
    const before = this.#sent.get(slot);
    if (before !== undefined && equalBytes(before.body, body)) return;
    this.#sent.set(slot, { region, period, body });
    await this.#outbox.add(slot, [transactionStep({ kind: KIND.prices, leaf: await this.#sign(body) })]);
  }

  async #sign(body: Uint8Array): Promise<Uint8Array> {
    return (await this.#opened()).leaf("price", body);
  }

  /** Opened when the ledger is set up, which it need not be at start. */
  async #opened(): Promise<Issuer> {
    const { secret, otherSecrets = [] } = this.#options;
    const modules = { view: this.#view, log: this.#log };
    this.#issuer ??= await Issuer.open({ party: "cc", secrets: [secret, ...otherSecrets] }, modules);
    return this.#issuer;
  }
}
