import {
  LedgerView,
  applyBlock,
  applyElection,
  applySetup,
  toHex,
  type StateReader,
  type Transition,
} from "@veilgrid/protocol";

/** A ledger as a chain of blocks is put on it: the rules alone, or the contract behind a real dispatcher. */
export interface TestLedger {
  readonly view: LedgerView;
  setUp(params: Uint8Array): Promise<void>;
  submitBlock(block: Uint8Array, cert: Uint8Array): Promise<void>;
  submitElection(cert: Uint8Array): Promise<void>;
  /** Everything that it holds, to see whether something changed. */
  contents(): Promise<string>;
}

/** The ledger's rules over a state that is a map. */
export class MapLedger implements TestLedger, StateReader {
  readonly #state: Map<string, Uint8Array>;
  readonly view = new LedgerView(this);
  /** What the last transaction did. */
  last: Transition | undefined;

  constructor(state: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.#state = new Map(state);
  }

  /** Another ledger that stands where this one does. */
  copy(): MapLedger {
    return new MapLedger(this.#state);
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#state.get(key));
  }

  get keys(): string[] {
    return [...this.#state.keys()].sort();
  }

  contents(): Promise<string> {
    const lines = [...this.#state].map(([key, value]) => `${key}=${toHex(value)}`);
    return Promise.resolve(lines.sort().join("\n"));
  }

  async setUp(params: Uint8Array): Promise<void> {
    this.#apply(await applySetup(this.view, params));
  }

  async submitBlock(block: Uint8Array, cert: Uint8Array): Promise<void> {
    this.#apply(await applyBlock(this.view, block, cert));
  }

  async submitElection(cert: Uint8Array): Promise<void> {
    this.#apply(await applyElection(this.view, cert));
  }

  #apply(transition: Transition): void {
    this.last = transition;
    for (const { key, value } of transition.writes) {
      if (value === undefined) this.#state.delete(key);
      else this.#state.set(key, value);
    }
  }
}
