import { createHash } from "node:crypto";
import { Writer, utf8 } from "@veilgrid/protocol";
import { cannotBe, endorseDiffers, endorseRefused, tooFewEndorsers } from "./errors.js";
import { ChaincodeStub } from "./fabric.js";
import type { Chaincode, ChaincodeResponse, Stub } from "./fabric.js";
import type { Proposal } from "./proposal.js";
import { MAX_VECTOR, writeReadWriteSet } from "./rwset.js";
import type { ReadWriteSet } from "./rwset.js";
import type { StateView } from "./state.js";
import { Simulator } from "./stub.js";

/** From this status on an endorser refuses (RESPONSE_CODE.ERRORTHRESHOLD of fabric-shim). */
const REFUSED = 400;

/** An organisation's endorsing peer: its own installation of the chaincode (see `chaincodeOf`). */
export interface EndorserOptions {
  readonly msp: string;
  readonly chaincode: Chaincode;
}

export interface ChaincodeEvent {
  readonly name: string;
  readonly payload: Uint8Array;
}

/** What a transaction would do, as one endorser found it. */
export interface Simulation {
  /** What the contract said instead, if it refused. */
  readonly refusal: string | undefined;
  readonly result: Uint8Array;
  readonly event: ChaincodeEvent | undefined;
  readonly rwset: ReadWriteSet;
}

function eventOf(stub: Stub): ChaincodeEvent | undefined {
  const event = stub.chaincodeEvent;
  // A copy: the contract may go on using its array.
  return event && { name: event.getEventName(), payload: new Uint8Array(event.getPayload_asU8()) };
}

async function simulate({ chaincode }: EndorserOptions, proposal: Proposal, view: StateView): Promise<Simulation> {
  const simulator = new Simulator(view);
  const { channel, txId, input, signed } = proposal;
  const stub = new ChaincodeStub(simulator, channel, txId, input, signed);
  let response: ChaincodeResponse;
  let rwset: ReadWriteSet;
  try {
    response = await chaincode.Invoke(stub);
  } finally {
    rwset = await simulator.finish();
  }
  const refusal = response.status >= REFUSED ? (response.message ?? "") : undefined;
  const result = new Uint8Array(response.payload ?? []);
  return { refusal, result, event: eventOf(stub), rwset };
}

/** Equal for two simulations if and only if they agree byte for byte; of a refusal only its text counts. */
function fingerprint({ refusal, result, event, rwset }: Simulation): string {
  const out = new Writer();
  if (refusal !== undefined) out.u8(1).raw(utf8(refusal));
  else {
    out
      .u8(0)
      .opaque(result, 0, MAX_VECTOR)
      .opaque(utf8(event?.name ?? ""), 0, 0xffff);
    out.opaque(event?.payload ?? new Uint8Array(), 0, MAX_VECTOR);
    writeReadWriteSet(out, rwset);
  }
  return createHash("sha256").update(out.bytes()).digest("hex");
}

/** The organisations outside the largest group of equal results: all of them if no group is the largest. */
function outsiders(groups: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const [first, second] = [...groups.values()].sort((a, b) => b.length - a.length);
  const isMajority = first !== undefined && first.length > (second?.length ?? 0);
  return [...groups.values()].filter((group) => !isMajority || group !== first).flat();
}

/** The endorsing peers of a channel. */
export class Endorsers {
  #all: readonly EndorserOptions[] = [];
  #needed = 0;
  readonly #down = new Set<string>();

  /** As `define`. */
  constructor(all: readonly EndorserOptions[], needed: number) {
    this.define(all, needed);
  }

  /**
   * The chaincode's definition: whose endorsement counts, and that `needed` of them have to agree on a transaction. Who is
   * down stays down.
   * @throws VeilgridError `out-of-range` if there are not as many.
   */
  define(all: readonly EndorserOptions[], needed: number): void {
    if (needed < 1 || needed > all.length) {
      throw cannotBe(`${needed} of ${all.length} endorsers cannot be asked`, { needed, endorsers: all.length });
    }
    this.#all = all;
    this.#needed = needed;
  }

  /** @throws VeilgridError `out-of-range` for an organisation that has no endorser. */
  setAvailable(msp: string, available: boolean): void {
    if (!this.#all.some((endorser) => endorser.msp === msp)) throw cannotBe(`${msp} has no endorser`, { msp });
    if (available) this.#down.delete(msp);
    else this.#down.add(msp);
  }

  /** As Fabric's gateway chooses: the caller's own organisation first, then in the order of the options. */
  #choose(caller: string, needed: number): readonly EndorserOptions[] {
    const up = this.#all.filter(({ msp }) => !this.#down.has(msp));
    if (up.length < needed) throw tooFewEndorsers(needed, up.length);
    const own = up.filter(({ msp }) => msp === caller);
    return [...own, ...up.filter(({ msp }) => msp !== caller)].slice(0, needed);
  }

  /**
   * Has `proposal` simulated by as many organisations as are needed, one after the other, on the same view.
   * @throws VeilgridError `endorse-refused`, `endorse-differs`, `ledger-unavailable`.
   */
  async endorse(proposal: Proposal, view: StateView): Promise<Simulation> {
    const asked = this.#choose(proposal.identity.msp, this.#needed);
    const groups = new Map<string, string[]>();
    const simulations: Simulation[] = [];
    for (const endorser of asked) {
      const simulation = await simulate(endorser, proposal, view);
      const key = fingerprint(simulation);
      groups.set(key, [...(groups.get(key) ?? []), endorser.msp]);
      simulations.push(simulation);
    }
    if (groups.size > 1) throw endorseDiffers(outsiders(groups), asked.length);
    return accepted(simulations[0] as Simulation);
  }

  /**
   * Has `proposal` run by one organisation.
   * @throws VeilgridError `endorse-refused`, `ledger-unavailable`.
   */
  async evaluate(proposal: Proposal, view: StateView): Promise<Uint8Array> {
    const [endorser] = this.#choose(proposal.identity.msp, 1);
    return accepted(await simulate(endorser as EndorserOptions, proposal, view)).result;
  }
}

function accepted(simulation: Simulation): Simulation {
  if (simulation.refusal !== undefined) throw endorseRefused(simulation.refusal);
  return simulation;
}
