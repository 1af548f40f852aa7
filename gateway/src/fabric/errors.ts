import { status } from "@grpc/grpc-js";
import { GatewayError } from "@hyperledger/fabric-gateway";
import { VeilgridError, type Facts } from "@veilgrid/protocol";
import { endorseRefused } from "../ledger/errors.js";
import type { Outcome } from "./port.js";

/** Where on its way a call failed. */
export type Phase = "evaluate" | "endorse" | "submit" | "commit" | "look-up" | "events";

/**
 * What a failed call is taken for. refused: the contract said no. mismatch: organisations came to different results.
 * ordered: the orderers have the transaction already. access: the channel does not know the caller, or does not let it.
 * tls: the connection is not what the profile says. undeployed: the peer knows no such chaincode. too-large: no gateway or
 * orderer would take it. timeout: no answer by the deadline. unavailable: anything else, which another gateway may not have.
 */
export type FaultKind =
  "refused" | "mismatch" | "ordered" | "access" | "tls" | "undeployed" | "too-large" | "timeout" | "unavailable";

/** A call that failed at one gateway. */
export interface Fault {
  readonly kind: FaultKind;
  readonly phase: Phase;
  /** The organisation whose gateway was called. */
  readonly gateway: string;
  /** What the peers said, each by its MSP id. */
  readonly said: string;
  /** What a contract said: the refusal that the port speaks of. */
  readonly refusal?: VeilgridError;
  readonly cause: unknown;
}

/** gRPC's number for a call that its deadline ended; fabric-gateway has it as a number, grpc-js as an enum. */
const DEADLINE_EXCEEDED: number = status.DEADLINE_EXCEEDED;

/** Whether a call was ended by its deadline. */
export function isOverdue(error: unknown): boolean {
  return error instanceof GatewayError && error.code === DEADLINE_EXCEEDED;
}

/** Characters of the peers' messages that are kept: enough for each of ten peers to say a sentence. */
const SAID = 1000;

// Fabric's own words, as peers and orderers of 3.1 (and 2.5, as far as they have them) put them. Codes say little: one
// code stands for a frozen orderer and for a transaction that is too large.
const WORDS: readonly (readonly [FaultKind, RegExp])[] = [
  ["mismatch", /ProposalResponsePayloads do not match/],
  ["ordered", /request already (?:processed|exists)/],
  ["too-large", /exceeds maximum allowed|message larger than max|trying to send message larger/],
  [
    "access",
    /access denied|creator org unknown|creator is malformed|identity expired|evaluat(?:ing|ion of) policy|policy evaluation failed/i,
  ],
  ["tls", /certificate|SSL routines|wrong version number|altname|packet length too long|EPROTO/i],
];

const REFUSAL = /chaincode response (?:[4-9]\d\d), ([^]*)/;

function clip(text: string): string {
  return text.length <= SAID ? text : `${text.slice(0, SAID)}…`;
}

/** What the peers said: the details where there are any, else the error itself. */
export function saidOf(error: unknown): string {
  if (!(error instanceof GatewayError)) return error instanceof Error ? error.message : String(error);
  const details = error.details.map(({ mspId, message }) => `${mspId}: ${message}`);
  return details.length > 0 ? details.join("; ") : error.message;
}

function refusalIn(error: unknown): string | undefined {
  const texts = error instanceof GatewayError ? [...error.details.map(({ message }) => message), error.message] : [];
  return texts.map((text) => REFUSAL.exec(text)?.[1]).find((text) => text !== undefined);
}

function kindOf(error: unknown, said: string): FaultKind {
  const found = WORDS.find(([, words]) => words.test(said));
  if (found !== undefined) return found[0];
  return isOverdue(error) ? "timeout" : "unavailable";
}

/** Reads what a gateway's call threw. */
export function faultOf(phase: Phase, gateway: string, cause: unknown): Fault {
  const said = saidOf(cause);
  const fault = { phase, gateway, said: clip(said), cause };
  if (said.includes("ProposalResponsePayloads do not match")) return { ...fault, kind: "mismatch" };
  const text = refusalIn(cause);
  if (text !== undefined) return { ...fault, kind: "refused", refusal: endorseRefused(text) };
  return { ...fault, kind: kindOf(cause, said) };
}

function facts({ phase, gateway, said }: Fault, more: Facts = {}): Facts {
  return { phase, gateway, said, ...more };
}

/** The code of a contract's refusal. */
export function refusalCode(refusal: VeilgridError): string {
  return String(refusal.facts.contract);
}

/** The contract's refusal, and which organisations would have it otherwise (`facts.differs`). */
export function refusedBy(refusal: VeilgridError, differs: readonly string[]): VeilgridError {
  if (differs.length === 0) return refusal;
  return new VeilgridError(refusal.code, `${refusal.message} (${differs.join(", ")} differs)`, {
    facts: { ...refusal.facts, differs: differs.join(",") },
    blame: refusal.blame,
  });
}

/** Too few organisations agree. `facts.opinions` has each with what it found: equal digests are equal results. */
export function organisationsDiffer(
  opinions: readonly { readonly msp: string; readonly key: string }[],
  needed: number,
): VeilgridError {
  const differs = opinions.map(({ msp }) => msp).join(",");
  return new VeilgridError("endorse-differs", `no ${needed} organisations agree on the transaction`, {
    facts: { phase: "endorse", differs, needed, opinions: opinions.map(({ msp, key }) => `${msp}: ${key}`).join("; ") },
    blame: "ledger",
  });
}

/** The channel does not take the caller for what it says it is: a wrong organisation, a foreign or expired certificate. */
export function accessRefused(fault: Fault, caller: string): VeilgridError {
  return new VeilgridError("access-refused", `${fault.gateway}'s peer does not let ${caller} in: ${fault.said}`, {
    facts: facts(fault, { caller }),
    blame: "caller",
    cause: fault.cause,
  });
}

/** The peer is not who the profile says, or does not speak TLS. */
export function tlsRefused(fault: Fault): VeilgridError {
  return new VeilgridError("tls-refused", `no TLS with ${fault.gateway}'s peer: ${fault.said}`, {
    facts: facts(fault),
    blame: "operator",
    cause: fault.cause,
  });
}

export function tooLarge(fault: Fault): VeilgridError {
  return new VeilgridError("too-large", `the transaction is larger than the channel takes: ${fault.said}`, {
    facts: facts(fault),
    blame: "caller",
    cause: fault.cause,
  });
}

/** No gateway could do it in time. With `facts.txId` a transaction's outcome is unknown, and it is in the journal. */
export function unavailable(fault: Fault, txId?: string): VeilgridError {
  const pending = txId === undefined ? "" : `, and what became of transaction ${txId} is unknown`;
  return new VeilgridError("ledger-unavailable", `no gateway could ${fault.phase}${pending}: ${fault.said}`, {
    facts: facts(fault, txId === undefined ? {} : { txId }),
    blame: "operator",
    retry: true,
    cause: fault.cause,
  });
}

/** The peers found the transaction invalid, and doing the same again would not help. */
export function transactionInvalid(txId: string, { blockNumber, validation }: Outcome): VeilgridError {
  return new VeilgridError("transaction-invalid", `the peers found transaction ${txId} invalid: ${validation}`, {
    facts: { phase: "commit", txId, blockNumber: blockNumber.toString(), validation },
    blame: "ledger",
  });
}

/** The error of a fault that no waiting cures, and no other gateway. */
export function finalError(fault: Fault, caller: string): VeilgridError | undefined {
  if (fault.kind === "access") return accessRefused(fault, caller);
  if (fault.kind === "tls") return tlsRefused(fault);
  return fault.kind === "too-large" ? tooLarge(fault) : undefined;
}

/** No gateway knows the chaincode, and none learnt of it within seconds. */
export function noChaincode(fault: Fault): VeilgridError {
  return new VeilgridError("no-chaincode", "the channel has no such chaincode: it has to be deployed first", {
    facts: facts(fault),
    blame: "operator",
    cause: fault.cause,
  });
}

/** The profile has no client for an organisation. */
export function noClient(msp: string): VeilgridError {
  return new VeilgridError("no-client", `the connection profile has no client of ${msp}`, {
    facts: { msp },
    blame: "caller",
  });
}
