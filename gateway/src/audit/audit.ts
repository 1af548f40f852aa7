import {
  applyBlock,
  applyElection,
  applySetup,
  concat,
  equalBytes,
  headerCodec,
  HEADER_BYTES,
  isVeilgridError,
  KIND,
  LedgerView,
  memoReader,
  sha256,
  toHex,
  VeilgridError,
  type StateWrite,
  type Transition,
} from "@veilgrid/protocol";
import type { LedgerBlock, LedgerTransaction, Write } from "../ports/ledger.js";
import type { Store } from "../ports/store.js";
import { kindName } from "../committed/kind-name.js";
import { ReplayedState, VALID } from "./replay.js";

/** Something on the ledger that the protocol does not allow. */
export interface Finding {
  readonly block: bigint;
  readonly txId: string;
  readonly code: string;
  readonly message: string;
}

/** What an audit looked at and what it found. */
export interface AuditReport {
  readonly blocks: number;
  readonly transactions: number;
  /** Transactions that the ledger itself marked invalid; they changed nothing. */
  readonly invalid: number;
  readonly elections: number;
  /** Readings whose signature was verified. */
  readonly readings: number;
  /** Blocks of each kind, by the kind's name. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

const WRITING = new Set(["setup", "submitElection", "submitBlock"]);
const BLOCK_PREFIX = HEADER_BYTES + 64;

/**
 * Walks a whole ledger and re-verifies everything from its bytes: each valid transaction's block or certificate is
 * taken out of its write set, checked by the protocol's rules against the state replayed so far, and must write exactly
 * what the ledger says it wrote. What the chaincode said of it plays no part, and no signature is taken as verified.
 */
export class Audit {
  readonly #state: ReplayedState;
  readonly #findings: Finding[] = [];
  readonly #kinds: Record<string, number> = {};
  #blocks = 0;
  #transactions = 0;
  #invalid = 0;
  #elections = 0;
  #readings = 0;

  /** @param scratch an empty store that holds the replayed state while the audit runs. */
  constructor(scratch: Store) {
    this.#state = new ReplayedState(scratch);
  }

  get report(): AuditReport {
    return {
      blocks: this.#blocks,
      transactions: this.#transactions,
      invalid: this.#invalid,
      elections: this.#elections,
      readings: this.#readings,
      kinds: { ...this.#kinds },
      findings: [...this.#findings],
    };
  }

  /** Takes the next block of the ledger. */
  async add(block: LedgerBlock): Promise<void> {
    if (block.number !== BigInt(this.#blocks)) {
      this.#find(block.number, "", "missing-block", `block ${this.#blocks} is missing`);
    }
    this.#blocks += 1;
    for (const transaction of block.transactions) {
      this.#transactions += 1;
      if (transaction.validation === VALID) await this.#check(block.number, transaction);
      else this.#invalid += 1;
    }
  }

  async #check(number: bigint, transaction: LedgerTransaction): Promise<void> {
    if (isIdle(transaction)) return;
    try {
      const transition = await this.#transition(transaction);
      checkWrites(transaction.writes, transition.writes);
      checkEvent(transaction, transition);
      this.#count(transition);
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      this.#find(number, transaction.txId, error.code, error.message);
    }
    await this.#state.apply(transaction.writes);
  }

  /** Re-derives a transaction from the bytes that it stored. */
  async #transition({ call, writes }: LedgerTransaction): Promise<Transition> {
    const view = new LedgerView(memoReader(this.#state));
    const name = functionOf(call);
    switch (name) {
      case "setup":
        return applySetup(view, stored(writes, "params/"));
      case "submitElection": {
        const cert = stored(writes, "election/");
        checkDigest(call.args, cert);
        return applyElection(view, cert);
      }
      case "submitBlock": {
        const prefix = stored(writes, "header/");
        const body = writes.find(({ key }) => key.startsWith("body/"))?.value ?? new Uint8Array();
        const block = concat(prefix.subarray(0, BLOCK_PREFIX), headerCount(prefix) === 0 ? new Uint8Array() : body);
        const cert = prefix.slice(BLOCK_PREFIX);
        checkDigest(call.args, concat(block, cert));
        return applyBlock(view, block, cert);
      }
      default:
        throw finding("unknown-transaction", `no transaction function is named ${name.slice(0, 40)}`);
    }
  }

  #count({ event }: Transition): void {
    if (event.name === "leader") this.#elections += 1;
    if (event.name !== "block") return;
    const { kind, count } = headerCodec.decode(event.payload);
    const name = kindName(kind);
    this.#kinds[name] = (this.#kinds[name] ?? 0) + 1;
    if (kind === KIND.readings) this.#readings += count;
  }

  #find(block: bigint, txId: string, code: string, message: string): void {
    this.#findings.push({ block, txId, code, message });
  }
}

function functionOf({ name }: LedgerTransaction["call"]): string {
  return name.slice(name.indexOf(":") + 1);
}

/**
 * Whether a transaction is a query that somebody had ordered, as every client of a channel can: it left nothing behind.
 * Functions that are there to write are not let off so.
 */
function isIdle({ call, writes, event }: LedgerTransaction): boolean {
  return writes.length === 0 && event === undefined && !WRITING.has(functionOf(call));
}

function finding(code: string, message: string): VeilgridError {
  return new VeilgridError(code, message, { blame: "ledger" });
}

/** The one value that a transaction stored under a kind of key. */
function stored(writes: readonly Write[], prefix: string): Uint8Array {
  const value = writes.find(({ key }) => key.startsWith(prefix))?.value;
  if (value === undefined) throw finding("missing-bytes", `the transaction stored nothing under ${prefix}`);
  return value;
}

function headerCount(prefix: Uint8Array): number {
  return headerCodec.decode(prefix.slice(0, HEADER_BYTES)).count;
}

/** The argument is the lower-case hex SHA-256 of block ‖ certificate. */
function checkDigest(args: readonly string[], bytes: Uint8Array): void {
  if (args.length === 1 && args[0] === toHex(sha256(bytes))) return;
  throw finding("wrong-digest", "the transaction's argument is not the digest of what it stored");
}

/** The ledger must have written exactly what the rules write; the order of keys is the peer's. */
function checkWrites(recorded: readonly Write[], derived: readonly StateWrite[]): void {
  const expected = new Map(derived.map(({ key, value }) => [key, value]));
  const same =
    recorded.length === expected.size &&
    recorded.every(({ key, value }) => expected.has(key) && sameValue(value, expected.get(key)));
  if (!same) throw finding("wrong-writes", "the transaction did not write what its block says");
}

function sameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

function checkEvent({ event }: LedgerTransaction, derived: Transition): void {
  const { name, payload } = derived.event;
  if (event?.name === name && equalBytes(event.payload, payload)) return;
  throw finding("wrong-event", "the transaction's event is not that of its block");
}
