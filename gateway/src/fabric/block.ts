import { StatusCode } from "@hyperledger/fabric-gateway";
import { isVeilgridError } from "@veilgrid/protocol";
import { VALID } from "../audit/replay.js";
import type { LedgerBlock, LedgerTransaction } from "../ports/ledger.js";
import { readBlock, type BlockParts } from "./rawblock.js";
import type { RawBlock } from "./source.js";
import { readTransaction } from "./transaction.js";

const CODE_NAMES = new Map<number, string>(Object.entries(StatusCode).map(([name, code]) => [code, name]));

/** Fabric's name for a verdict, such as "VALID" or "MVCC_READ_CONFLICT"; a number that has none keeps it. */
function verdictName(code: number): string {
  return CODE_NAMES.get(code) ?? `CODE_${code}`;
}

/**
 * A transaction that peers took must be readable. One that they refused may be any bytes that an orderer was given: where
 * it cannot be read it is nobody's, and is left out.
 */
function transactionOf(envelope: Uint8Array, code: number, chaincode: string): LedgerTransaction | undefined {
  const validation = verdictName(code);
  try {
    return readTransaction(envelope, validation, chaincode);
  } catch (error) {
    if (validation !== VALID && isVeilgridError(error, "bad-fabric-block")) return undefined;
    throw error;
  }
}

/** A block's transactions that concern a chaincode. @throws VeilgridError `bad-fabric-block`. */
export function ledgerBlock({ number, data, flags }: BlockParts, chaincode: string): LedgerBlock {
  const transactions = data.map((envelope, i) => transactionOf(envelope, flags[i] as number, chaincode));
  return { number, transactions: transactions.filter((transaction) => transaction !== undefined) };
}

/**
 * Reads a block of Fabric's as the port has them: configurations, the lifecycle's transactions and those of other
 * chaincodes are left out, so a block may have none.
 * @throws VeilgridError `bad-fabric-block`.
 */
export function decodeBlock(raw: RawBlock, chaincode: string): LedgerBlock {
  return ledgerBlock(readBlock(raw), chaincode);
}
