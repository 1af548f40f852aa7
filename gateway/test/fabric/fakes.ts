import { GatewayError } from "@hyperledger/fabric-gateway";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { concat, quorum, utf8, type Facts } from "@veilgrid/protocol";
import { FabricClient, type ClientModules } from "../../src/fabric/client.js";
import { DEADLINES } from "../../src/fabric/deadlines.js";
import { Freshness } from "../../src/fabric/freshness.js";
import { Journal } from "../../src/fabric/journal.js";
import type { CallerPort, GatewayPort, Outcome, Proposed } from "../../src/fabric/port.js";
import { Standing } from "../../src/fabric/standing.js";
import type { Waiting } from "../../src/fabric/waiting.js";
import { MemoryStore } from "../../src/store/memory.js";
import { field, txId } from "./forge.js";

// A channel of four organisations as their gateways show it, with the faults that a test has them make. What the real ones
// do is held to the same behaviour by *.e2e.ts.

/** What a gateway's call throws: gRPC's code and the peers' messages, by MSP. */
export function gatewayError(code: status, details: Readonly<Record<string, string>> = {}, message = ""): GatewayError {
  const cause: ServiceError = Object.assign(new Error(message), { code, details: message, metadata: new Metadata() });
  return new GatewayError({
    code,
    cause,
    message,
    details: Object.entries(details).map(([mspId, said]) => ({ mspId, message: said, address: "127.0.0.1:1" })),
  });
}

export const UNAVAILABLE = gatewayError(status.UNAVAILABLE, {}, "14 UNAVAILABLE: No connection established");
export const OVERDUE = gatewayError(status.DEADLINE_EXCEEDED, {}, "4 DEADLINE_EXCEEDED: Deadline exceeded");

/** What a gateway says of its peers' contracts' refusals, each in the contract's own words. */
export function refusalOf(refusals: Readonly<Record<string, string>>): GatewayError {
  const text = (code: string): string =>
    `chaincode response 500, ${JSON.stringify({ code, message: code, facts: {} })}`;
  const details = Object.entries(refusals).map(([msp, code]) => [msp, text(code)]);
  return gatewayError(status.ABORTED, Object.fromEntries(details) as Record<string, string>);
}

/** An endorsed transaction as a gateway puts it together. */
function prepared(id: string, result: string, endorsers: readonly string[]): Uint8Array {
  const endorsements = endorsers.map((msp) => field(2, field(1, field(1, msp))));
  const payload = field(2, concat(field(1, result), ...endorsements));
  const envelope = field(1, field(2, field(1, field(2, payload))));
  return concat(field(1, id), field(2, envelope));
}

/** Time that passes only where somebody waits. */
export class FakeTime implements Waiting {
  readonly pauses: number[] = [];
  #now = 0;

  now(): number {
    return this.#now;
  }

  wait(milliseconds: number): Promise<void> {
    this.pauses.push(milliseconds);
    this.pass(milliseconds);
    return Promise.resolve();
  }

  /** So long takes what somebody else does. */
  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  draw(): number {
    return 0;
  }
}

export type Method = "evaluate" | "endorse" | "order" | "outcome" | "lookUp" | "height";

/** One organisation's gateway. */
export class FakeGateway implements GatewayPort {
  readonly endorses: boolean;
  readonly #channel: FakeChannel;
  readonly #faults = new Map<Method, (Error | undefined)[]>();
  readonly #times = new Map<Method, number>();
  /** What its own organisation's contract comes to: a result, or a refusal. */
  opinion: string | Error = "result";
  /** The organisations that its last endorsement was asked of; undefined for its own choice. */
  asked: readonly string[] | undefined;

  constructor(
    channel: FakeChannel,
    readonly msp: string,
    endorses = true,
  ) {
    this.#channel = channel;
    this.endorses = endorses;
  }

  /** Has the next calls of a method fail; undefined lets one through. */
  fails(method: Method, ...faults: (Error | undefined)[]): void {
    this.#faults.set(method, faults);
  }

  /** How long each call of a method takes from now on. */
  takes(method: Method, milliseconds: number): void {
    this.#times.set(method, milliseconds);
  }

  #call(method: Method): void {
    this.#channel.trace.push(`${this.msp} ${method}`);
    this.#channel.time.pass(this.#times.get(method) ?? 0);
    const fault = this.#faults.get(method)?.shift();
    if (fault !== undefined) throw fault;
  }

  evaluate(): Promise<Uint8Array> {
    return attempt(() => {
      this.#call("evaluate");
      if (this.opinion instanceof Error) throw this.opinion;
      return utf8(this.opinion);
    });
  }

  endorse(proposal: Uint8Array, organisations?: readonly string[]): Promise<Uint8Array> {
    return attempt(() => {
      this.asked = organisations;
      this.#call("endorse");
      if (this.opinion instanceof Error) throw this.opinion;
      return prepared(Buffer.from(proposal).toString(), this.opinion, organisations ?? ["DA0MSP", "DA1MSP", "DA2MSP"]);
    });
  }

  order(transaction: Uint8Array): Promise<void> {
    return attempt(() => {
      this.#call("order");
      this.#channel.order(transaction);
    });
  }

  outcome(id: string): Promise<Outcome> {
    return attempt(() => {
      this.#call("outcome");
      const found = this.#channel.outcomes.get(id);
      if (found === undefined) throw OVERDUE;
      return found;
    });
  }

  lookUp(id: string): Promise<Outcome | undefined> {
    return attempt(() => {
      this.#call("lookUp");
      return this.#channel.outcomes.get(id);
    });
  }

  height(): Promise<bigint> {
    return attempt(() => {
      this.#call("height");
      return BigInt(this.#channel.outcomes.size);
    });
  }
}

function attempt<T>(action: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(action());
  });
}

/** The channel behind the gateways, and a client's modules. */
export class FakeChannel {
  /** Every call of a gateway, in order: "DA0MSP endorse". */
  readonly trace: string[] = [];
  /** What was said: event and facts. */
  readonly said: [string, Facts][] = [];
  /** What the orderers were given, in order. */
  readonly sent: Uint8Array[] = [];
  readonly outcomes = new Map<string, Outcome>();
  /** The peers' verdicts on the next transactions; "lost" for one that is never committed. */
  readonly verdicts: string[] = [];
  readonly time = new FakeTime();
  readonly gateways: readonly FakeGateway[];
  readonly store = new MemoryStore();
  #ids = 0;

  constructor() {
    const das = [0, 1, 2, 3].map((i) => new FakeGateway(this, `DA${i}MSP`));
    this.gateways = [...das, new FakeGateway(this, "KGCBPMSP", false)];
  }

  at(msp: string): FakeGateway {
    return this.gateways.find((gateway) => gateway.msp === msp) as FakeGateway;
  }

  order(transaction: Uint8Array): void {
    this.sent.push(transaction);
    const id = Buffer.from(transaction.subarray(2, 66)).toString();
    if (this.outcomes.has(id)) return;
    const validation = this.verdicts.shift() ?? "VALID";
    if (validation !== "lost") this.outcomes.set(id, { blockNumber: BigInt(this.outcomes.size), validation });
  }

  #caller(msp: string): CallerPort {
    const propose = (): Promise<Proposed> => {
      this.#ids += 1;
      return Promise.resolve({ txId: txId(this.#ids), bytes: utf8(txId(this.#ids)) });
    };
    const sign = (bytes: Uint8Array): Promise<Uint8Array> => Promise.resolve(concat(bytes, field(9, `by ${msp}`)));
    return { msp, gateways: this.gateways, propose, sign, resultOf: () => utf8("answer") };
  }

  /** A new process's client, which finds what earlier ones wrote down. */
  async client(msp: string, changed: Partial<ClientModules> = {}): Promise<{ client: FabricClient; journal: Journal }> {
    const journal = await Journal.open(this.store);
    const client = new FabricClient(this.#caller(msp), {
      standing: new Standing(this.time),
      freshness: new Freshness(),
      journal,
      waiting: this.time,
      deadlines: DEADLINES,
      log: (_, event, facts = {}) => this.said.push([event, facts]),
      needed: quorum(4),
      reached: () => Promise.resolve(),
      ...changed,
    });
    return { client, journal };
  }
}
