import type { Call, Committed, LedgerBlock, LedgerClient } from "@veilgrid/gateway";
import { VeilgridError } from "@veilgrid/protocol";
import type { Backend, Ordered } from "./backends.js";
import type { Draw, Span } from "./draw.js";
import type { Life } from "./life.js";
import { Replica } from "./replica.js";
import type { Timeline } from "./timeline.js";

/** How the ledger is in a run. */
export interface ChannelModules {
  readonly timeline: Timeline;
  readonly draw: Draw;
  readonly backend: Backend;
  /** From a request to its endorsement, and from there to its order. */
  readonly submitMs: Span;
  /** From a block to its being on a peer. */
  readonly lagMs: Span;
  /** The probability that a submission's outcome is not heard of. */
  readonly unheard: () => number;
  /** Whether an organisation's peer is there. */
  readonly isUp: (msp: string) => boolean;
}

/** The channel: one peer for each organisation, each at its own height, and a ledger behind them. */
export class Channel {
  readonly #modules: ChannelModules;
  readonly #replicas: ReadonlyMap<string, Replica>;
  readonly #endorsing: readonly string[];
  readonly #needed: number;
  readonly #followers = new Map<string, () => void>();
  readonly #due = new Map<string, number>();
  readonly blocks: LedgerBlock[] = [];

  /** @param options.endorsing the organisations whose endorsement counts, and how many of them are needed. */
  constructor(
    options: { readonly msps: readonly string[]; readonly endorsing: readonly string[]; readonly needed: number },
    modules: ChannelModules,
  ) {
    this.#modules = modules;
    this.#replicas = new Map(options.msps.map((msp) => [msp, new Replica()]));
    this.#endorsing = options.endorsing;
    this.#needed = options.needed;
  }

  /** The organisation's peer. */
  replica(msp: string): Replica {
    return this.#replicas.get(msp) as Replica;
  }

  /** Calls whenever an organisation's peer has a new block. */
  follow(msp: string, onBlock: () => void): void {
    this.#followers.set(msp, onBlock);
  }

  async setUp(): Promise<void> {
    const blocks = await this.#modules.backend.setUp();
    this.blocks.push(...blocks);
    for (const replica of this.#replicas.values()) for (const block of blocks) replica.apply(block);
  }

  /** The ledger as one life of an organisation's role uses it. */
  client(msp: string, life: Life): LedgerClient {
    return {
      submit: (call) => life.heard(this.#submit(msp, call, life.name)),
      evaluate: () => Promise.reject(new Error("roles read their own peer")),
    };
  }

  async #submit(msp: string, call: Call, who: string): Promise<Committed> {
    const { backend, unheard, draw } = this.#modules;
    await this.#wait(`${who}: ${call.name}`);
    const endorsers = this.#endorsers(msp);
    const order = await backend.endorse(msp, call, endorsers).catch(async (error: unknown) => {
      await this.#wait(`${who}: ${call.name} refused`);
      throw error;
    });
    await this.#wait(`${who}: ${call.name} endorsed`);
    const { blocks, failure } = await order();
    this.#publish(blocks);
    await this.#reached(msp, { blocks, failure }, `${who}: ${call.name} committed`);
    if (failure !== undefined) throw failure;
    if (draw.chance(unheard())) throw unavailable("the commit was not heard of");
    return { txId: "", blockNumber: BigInt(this.blocks.length - 1), result: new Uint8Array() };
  }

  #endorsers(own: string): [string, Replica][] {
    const up = this.#endorsing.filter((msp) => this.#modules.isUp(msp));
    if (up.length < this.#needed) throw unavailable("too few endorsers are up");
    const chosen = [...up.filter((msp) => msp === own), ...up.filter((msp) => msp !== own)].slice(0, this.#needed);
    return chosen.map((msp) => [msp, this.replica(msp)]);
  }

  #wait(label: string): Promise<void> {
    const { timeline, draw, submitMs } = this.#modules;
    return new Promise((resolve) => {
      timeline.at(timeline.now() + draw.within(submitMs), label, resolve);
    });
  }

  #publish(blocks: readonly LedgerBlock[]): void {
    const { timeline, draw, lagMs } = this.#modules;
    for (const block of blocks) {
      this.blocks.push(block);
      for (const msp of this.#replicas.keys()) {
        const due = Math.max(this.#due.get(msp) ?? 0, timeline.now() + draw.within(lagMs));
        this.#due.set(msp, due);
        this.#deliver(msp, block, due);
      }
    }
  }

  /** A peer that is down gets its blocks when it is up again. */
  #deliver(msp: string, block: LedgerBlock, due: number): void {
    const { timeline, isUp } = this.#modules;
    timeline.at(due, `block ${block.number} on ${msp}`, () => {
      if (!isUp(msp) || block.number !== BigInt(this.replica(msp).height)) {
        this.#deliver(msp, block, timeline.now() + 1_000);
        return;
      }
      this.replica(msp).apply(block);
      this.#followers.get(msp)?.();
    });
  }

  /** A submission is over when its own peer has its block. */
  async #reached(msp: string, { blocks }: Ordered, label: string): Promise<void> {
    const last = blocks.at(-1);
    if (last === undefined) return this.#wait(label);
    const { timeline } = this.#modules;
    while (BigInt(this.replica(msp).height) <= last.number) {
      await new Promise<void>((resolve) => {
        timeline.at(Math.max(timeline.now() + 100, this.#due.get(msp) ?? 0), label, resolve);
      });
    }
    return undefined;
  }
}

function unavailable(why: string): VeilgridError {
  return new VeilgridError("ledger-unavailable", `the ledger takes nothing: ${why}`, {
    facts: { why },
    blame: "operator",
    retry: true,
  });
}
