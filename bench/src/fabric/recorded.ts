import { HEADER_BYTES, KIND, concat, headerCodec } from "@veilgrid/protocol";
import type { Call, LedgerFile, LedgerTransaction } from "@veilgrid/gateway";

/** Bytes of a stored header before its certificate: header and leader's signature. */
const PREFIX_BYTES = HEADER_BYTES + 64;

/** A transaction as its client once sent it. */
export interface Recorded {
  /** The caller's MSP. */
  readonly msp: string;
  readonly call: Call;
  /** Of a block: its chain and kind. */
  readonly block?: { readonly chain: number; readonly kind: number };
}

/** What a recorded ledger holds. */
export interface Recording {
  /** Version 1 of the parameter set. */
  readonly params: Uint8Array;
  readonly transactions: readonly Recorded[];
}

function stored({ writes }: LedgerTransaction, prefix: string): Uint8Array | undefined {
  return writes.find(({ key }) => key.startsWith(prefix))?.value;
}

/** The transient data of a transaction, out of what it stored. */
function recorded(transaction: LedgerTransaction): Recorded {
  const { caller: msp, call } = transaction;
  const election = stored(transaction, "election/");
  if (election !== undefined) return { msp, call: { ...call, transient: { cert: election } } };
  const header = stored(transaction, "header/");
  if (header === undefined) return { msp, call };
  const { region: chain, kind } = headerCodec.decode(header.slice(0, HEADER_BYTES));
  const block = concat(header.slice(0, PREFIX_BYTES), stored(transaction, "body/") ?? new Uint8Array());
  return { msp, call: { ...call, transient: { block, cert: header.slice(PREFIX_BYTES) } }, block: { chain, kind } };
}

/** Reads a ledger file back into the transactions that made it. */
export async function recordingOf(file: LedgerFile): Promise<Recording> {
  const transactions: Recorded[] = [];
  let params: Uint8Array | undefined;
  for await (const block of file.blocks(0n)) {
    for (const transaction of block.transactions) {
      if (transaction.call.name.endsWith("setup")) params = stored(transaction, "params/");
      transactions.push(recorded(transaction));
    }
  }
  if (params === undefined) throw new Error("the recorded ledger has no set-up");
  return { params, transactions };
}

/** Whether it carries a block of readings. */
export function hasReadings({ block }: Recorded): boolean {
  return block?.kind === KIND.readings;
}

/** Bytes of the readings block and its votes. */
export function sizeOf({ call: { transient = {} } }: Recorded): number {
  return Object.values(transient).reduce((sum, bytes) => sum + bytes.length, 0);
}
