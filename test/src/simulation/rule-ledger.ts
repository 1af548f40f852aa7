import type { Call, LedgerBlock, Write } from "@veilgrid/gateway";
import {
  LedgerView,
  VeilgridError,
  applyBlock,
  applyElection,
  isVeilgridError,
  toHex,
  type Transition,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { Replica } from "./replica.js";

/** What a transaction read and what it would write. */
export interface Endorsed {
  readonly call: Call;
  readonly caller: string;
  readonly reads: ReadonlyMap<string, number>;
  readonly transition: Transition;
}

/** The contract's rules for a call: those of the product, unless a test plants a bug in them. */
export type Rules = (view: LedgerView, call: Call, memory: VerifiedSignatures) => Promise<Transition>;

function transient(call: Call, name: string): Uint8Array {
  return call.transient?.[name] ?? new Uint8Array();
}

/** The rules as the contract calls them. */
export const rules: Rules = (view, call, memory) =>
  call.name === "submitBlock"
    ? applyBlock(view, transient(call, "block"), transient(call, "cert"), memory)
    : applyElection(view, transient(call, "cert"), memory);

function refused(error: VeilgridError): VeilgridError {
  return new VeilgridError("endorse-refused", `the contract refused: ${error.message}`, {
    facts: { ...error.facts, contract: error.code },
    blame: "caller",
  });
}

function differs(): VeilgridError {
  return new VeilgridError("endorse-differs", "the endorsers do not agree", { blame: "ledger" });
}

function fingerprint({ reads, transition }: Endorsed): string {
  const read = [...reads].map(([key, version]) => `${key}@${version}`).sort();
  const written = transition.writes.map(({ key, value }) => `${key}=${value === undefined ? "" : toHex(value)}`);
  return [...read, ...written].join("\n");
}

/**
 * Fabric's order of things without Fabric: Q organisations' peers each simulate a transaction on their own copy of the
 * state and must agree; then it is ordered, and valid if nothing that it read has changed meanwhile.
 */
export class RuleLedger {
  readonly #rules: Rules;
  readonly #memory: VerifiedSignatures;
  readonly blocks: LedgerBlock[] = [];
  readonly #versions = new Map<string, number>();

  constructor(memory: VerifiedSignatures, ledgerRules: Rules = rules) {
    this.#memory = memory;
    this.#rules = ledgerRules;
  }

  /** @throws VeilgridError `endorse-refused`, `endorse-differs`. */
  async endorse(caller: string, call: Call, endorsers: readonly Replica[]): Promise<Endorsed> {
    const endorsed: Endorsed[] = [];
    for (const replica of endorsers) {
      const { reader, reads } = replica.recording();
      try {
        endorsed.push({
          call,
          caller,
          reads,
          transition: await this.#rules(new LedgerView(reader), call, this.#memory),
        });
      } catch (error) {
        if (!isVeilgridError(error)) throw error;
        throw refused(error);
      }
    }
    const [first] = endorsed as [Endorsed];
    if (new Set(endorsed.map(fingerprint)).size > 1) throw differs();
    return first;
  }

  /** The next block, with this one transaction; whether it is valid. */
  order({ call, caller, reads, transition }: Endorsed): LedgerBlock {
    const isValid = [...reads].every(([key, version]) => (this.#versions.get(key) ?? -1) === version);
    return this.append({ call, caller, transition, validation: isValid ? "VALID" : "MVCC_READ_CONFLICT" });
  }

  append(made: Pick<Endorsed, "call" | "caller" | "transition"> & { readonly validation: string }): LedgerBlock {
    const number = this.blocks.length;
    const { call, caller, transition, validation } = made;
    const writes: readonly Write[] = transition.writes;
    if (validation === "VALID") this.#note(writes, number);
    const { name, args } = call;
    const transaction = {
      txId: `tx${number}`,
      caller,
      call: { name, args },
      writes,
      event: transition.event,
      validation,
    };
    const block = { number: BigInt(number), transactions: [transaction] };
    this.blocks.push(block);
    return block;
  }

  #note(writes: readonly Write[], number: number): void {
    for (const { key, value } of writes) {
      if (value === undefined) this.#versions.delete(key);
      else this.#versions.set(key, number);
    }
  }
}
