import { createHash } from "node:crypto";
import { common, gateway, msp, peer } from "./sending.js";
import type {
  ActionPayloadMessage,
  EndorsedActionMessage,
  EnvelopeMessage,
  PayloadMessage,
  PreparedTransactionMessage,
  TransactionActionMessage,
  TransactionMessage,
} from "./sending.js";

// PreparedTransaction > Envelope > Payload > Transaction > TransactionAction > ChaincodeActionPayload > the action: what
// the organisations found (ProposalResponsePayload) and their endorsements of it.

/** A transaction, and its parts down to the endorsements. */
interface Opened {
  readonly prepared: PreparedTransactionMessage;
  readonly envelope: EnvelopeMessage;
  readonly payload: PayloadMessage;
  readonly transaction: TransactionMessage;
  readonly part: TransactionActionMessage;
  readonly content: ActionPayloadMessage;
  readonly action: EndorsedActionMessage;
}

function open(bytes: Uint8Array): Opened {
  const prepared = gateway.PreparedTransaction.deserializeBinary(bytes);
  const envelope = prepared.getEnvelope();
  const payload = common.Payload.deserializeBinary(envelope?.getPayload_asU8() ?? new Uint8Array());
  const transaction = peer.Transaction.deserializeBinary(payload.getData_asU8());
  const [part] = transaction.getActionsList();
  const content = peer.ChaincodeActionPayload.deserializeBinary(part?.getPayload_asU8() ?? new Uint8Array());
  const action = content.getAction();
  if (!envelope || !part || !action) throw new Error("a gateway gave what is no transaction");
  return { prepared, envelope, payload, transaction, part, content, action };
}

/** SHA-256 (hex) of what an endorsed transaction reads, writes, emits and answers: equal where organisations agree. */
export function resultDigest(transaction: Uint8Array): string {
  return createHash("sha256").update(open(transaction).action.getProposalResponsePayload_asU8()).digest("hex");
}

/** The MSP ids of the organisations that endorsed a transaction. */
export function endorsersOf(transaction: Uint8Array): readonly string[] {
  const endorsements = open(transaction).action.getEndorsementsList();
  return endorsements.map((one) => msp.SerializedIdentity.deserializeBinary(one.getEndorser_asU8()).getMspid());
}

/**
 * One unsigned transaction of several of the same proposal and result, each endorsed by other organisations.
 * @param transactions at least one; all have the same `resultDigest`.
 */
export function withAllEndorsements(transactions: readonly Uint8Array[]): Uint8Array {
  const opened = transactions.map(open);
  const first = opened[0] as Opened;
  first.action.setEndorsementsList(opened.flatMap(({ action }) => action.getEndorsementsList()));
  first.part.setPayload(first.content.serializeBinary());
  first.payload.setData(first.transaction.serializeBinary());
  first.envelope.setPayload(first.payload.serializeBinary());
  return first.prepared.serializeBinary();
}

/** A signed proposal with the organisations that shall endorse it; the signature covers only the proposal. */
export function addressed(proposal: Uint8Array, organisations: readonly string[]): Uint8Array {
  const proposed = gateway.ProposedTransaction.deserializeBinary(proposal);
  proposed.setEndorsingOrganizationsList([...organisations]);
  return proposed.serializeBinary();
}
