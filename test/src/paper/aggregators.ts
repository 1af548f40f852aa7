import {
  VeilgridError,
  VerifiedSignatures,
  answerCodec,
  answerName,
  isVeilgridError,
  readingOfLeaf,
  window,
  type Period,
  type Transition,
} from "@veilgrid/protocol";
import {
  Aggregator,
  MemoryStore,
  Scheduler,
  SeededRandom,
  SimNetwork,
  decodeResponse,
  encodeKeepLists,
  silent,
  type AggregatorModules,
  type AggregatorOptions,
  type Call,
  type Handler,
  type LedgerClient,
  type LedgerEvent,
  type Method,
} from "@veilgrid/gateway";
import { daKey, periodAt, type At, type Chain } from "../consortium/chain.js";
import { pridList } from "../consortium/epochs.js";
import type { MapLedger } from "../consortium/map-ledger.js";
import { secretOf } from "../consortium/members.js";

/** The ledger's rules as the aggregators submit to them. */
class Submissions implements LedgerClient {
  readonly #ledger: MapLedger;
  readonly #onEvent: (event: LedgerEvent) => void;
  #height = 0n;

  constructor(ledger: MapLedger, onEvent: (event: LedgerEvent) => void) {
    this.#ledger = ledger;
    this.#onEvent = onEvent;
  }

  evaluate(): Promise<Uint8Array> {
    return Promise.reject(new Error("aggregators read through their view"));
  }

  async submit({ name, transient }: Call): ReturnType<LedgerClient["submit"]> {
    const { block, cert } = transient as Readonly<Record<"block" | "cert", Uint8Array>>;
    try {
      await (name === "submitBlock" ? this.#ledger.submitBlock(block, cert) : this.#ledger.submitElection(cert));
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      throw new VeilgridError("endorse-refused", error.message, { facts: { contract: error.code }, blame: "caller" });
    }
    this.#height += 1n;
    const { event } = this.#ledger.last as Transition;
    this.#onEvent({ blockNumber: this.#height, txId: `tx${this.#height}`, ...event });
    return { txId: "", blockNumber: this.#height, result: new Uint8Array() };
  }
}

/** How one aggregator is other than the rest. */
export interface Difference {
  readonly options?: Partial<AggregatorOptions>;
  /** What it draws. */
  readonly random?: AggregatorModules["random"];
}

/** What became of a request. */
export interface Asked {
  response?: Uint8Array;
}

/**
 * The real aggregators of a chain on virtual time, with the chain's ledger under them. They start when the chain's epoch
 * of region 1 is committed; the ledger's leader is whom the chain elected.
 */
export class Aggregators {
  readonly chain: Chain;
  readonly clock: Scheduler;
  readonly network: SimNetwork;
  readonly all: readonly Aggregator[];
  readonly random = SeededRandom.of(14);

  private constructor(chain: Chain, differences: Readonly<Record<number, Difference>>) {
    this.chain = chain;
    this.clock = new Scheduler(Number(chain.now));
    const { clock, random } = this;
    this.network = new SimNetwork({ latency: { minMs: 5, maxMs: 50 } }, { clock, random });
    const ledger = new Submissions(chain.ledger, (event) => {
      this.#deliver(event);
    });
    const shared = { clock, ledger, view: chain.view, memory: new VerifiedSignatures(10_000), log: silent };
    this.all = chain.params.da.map(({ key }, da) => {
      const transport = this.network.transport(`da/Da${da}`);
      const { options, random: drawn = random } = differences[da] ?? {};
      const own = { transport, store: new MemoryStore(), random: drawn };
      return new Aggregator({ secret: secretOf(key), ...options }, { ...shared, ...own });
    });
  }

  /** @param differences of single aggregators, by index: how the malicious ones behave. */
  static async over(chain: Chain, differences: Readonly<Record<number, Difference>> = {}): Promise<Aggregators> {
    const aggregators = new Aggregators(chain, differences);
    for (const [da, aggregator] of aggregators.all.entries()) {
      aggregators.network.listen(`da/Da${da}`, aggregator.handle);
      await aggregator.start();
    }
    await aggregators.#sendLists();
    return aggregators;
  }

  /** From now on somebody else answers in an aggregator's place: whoever has its keys and follows no protocol. */
  replace(da: number, handler: Handler = () => Promise.resolve()): void {
    this.all[da]?.stop();
    this.network.listen(`da/Da${da}`, handler);
  }

  /** KGCBP's lists of all the periods of region 1 that are still to come. */
  async #sendLists(): Promise<void> {
    const { chain } = this;
    const { firstCovered, lastCovered } = await chain.view.head(1);
    const [first, last] = [firstCovered as Period, lastCovered as Period];
    const lists = Array.from({ length: last.k + 1 - first.k }, (_, i) =>
      pridList(chain.meters, chain.place({ k: first.k + i })),
    );
    for (const da of this.all.keys()) this.ask(da, "lists", encodeKeepLists({ region: 1, first, lists }), "kgcbp");
    await this.seconds(1);
  }

  #deliver(event: LedgerEvent): void {
    for (const aggregator of this.all) {
      this.clock.at(this.clock.now() + 1, `event ${event.name}`, () => aggregator.onLedgerEvent(event));
    }
  }

  async seconds(count: number): Promise<void> {
    await this.clock.run(this.clock.now() + 1000 * count);
  }

  /** Opening, closing and freezing of a period's window in MONTH, Unix milliseconds. */
  window(k: number): { readonly opens: number; readonly closes: number; readonly freezes: number } {
    return window(periodAt(k), this.chain.params);
  }

  /** Asks an aggregator something; the answer is there after some virtual time. */
  ask(da: number, method: Method, request: Uint8Array, from = "anybody"): Asked {
    const asked: Asked = {};
    this.network.transport(from).request(`da/Da${da}`, method, request, (response) => {
      asked.response = response;
    });
    return asked;
  }

  /** Leaves as the signed readings (113 bytes) that meters send. */
  signed(at: At, leaves: readonly Uint8Array[]): Uint8Array[] {
    const { region, period } = this.chain.place(at);
    return leaves.map(readingOfLeaf(region, period));
  }

  /** All halves of all meters to the aggregators in turn, each reading to one. */
  send(at: At, leaves: readonly Uint8Array[]): Asked[] {
    return this.signed(at, leaves).map((reading, i) => this.ask(i % this.all.length, "reading", reading));
  }

  /** The aggregator's index among the members. */
  index(key: Uint8Array | undefined): number {
    const hex = key?.join();
    return this.chain.params.da.findIndex((_, da) => daKey(this.chain.params, da).join() === hex);
  }
}

/** "accepted", "incomplete", "none", or the name of the Answer's code. */
export function outcome({ response }: Asked): string {
  if (response === undefined) return "none";
  const decoded = decodeResponse(response);
  if (decoded.tag !== "answer") return decoded.tag;
  const { code } = answerCodec.decode(decoded.answer);
  return answerName(code) ?? String(code);
}
