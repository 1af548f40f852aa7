import { createRequire } from "node:module";

// Narrow types of the protobuf classes that a transaction is made of on its way to the channel: what this adapter calls of
// them. The classes are those of the version that fabric-gateway uses. Blocks are read by protobuf.ts.

interface Serializable {
  serializeBinary(): Uint8Array;
}

interface MessageClass<T> {
  deserializeBinary(bytes: Uint8Array): T;
}

export interface PreparedTransactionMessage extends Serializable {
  getTransactionId(): string;
  getEnvelope(): EnvelopeMessage | undefined;
}

export interface EnvelopeMessage {
  getPayload_asU8(): Uint8Array;
  setPayload(payload: Uint8Array): void;
}

export interface PayloadMessage extends Serializable {
  getData_asU8(): Uint8Array;
  setData(data: Uint8Array): void;
}

export interface TransactionActionMessage {
  getPayload_asU8(): Uint8Array;
  setPayload(payload: Uint8Array): void;
}

export interface TransactionMessage extends Serializable {
  getActionsList(): TransactionActionMessage[];
}

export interface EndorsementMessage {
  getEndorser_asU8(): Uint8Array;
}

export interface EndorsedActionMessage {
  getProposalResponsePayload_asU8(): Uint8Array;
  getEndorsementsList(): EndorsementMessage[];
  setEndorsementsList(endorsements: EndorsementMessage[]): void;
}

export interface ActionPayloadMessage extends Serializable {
  getAction(): EndorsedActionMessage | undefined;
}

interface ProposedTransactionMessage extends Serializable {
  setEndorsingOrganizationsList(organisations: string[]): void;
}

interface CommitStatusRequestMessage extends Serializable {
  setTransactionId(id: string): void;
  setChannelId(channel: string): void;
  setIdentity(identity: Uint8Array): void;
}

interface SignedCommitStatusRequestMessage extends Serializable {
  setRequest(request: Uint8Array): void;
}

interface SerializedIdentityMessage extends Serializable {
  getMspid(): string;
  setMspid(msp: string): void;
  setIdBytes(certificate: Uint8Array): void;
}

interface Protos {
  readonly common: { readonly Payload: MessageClass<PayloadMessage> };
  readonly gateway: {
    readonly PreparedTransaction: MessageClass<PreparedTransactionMessage>;
    readonly ProposedTransaction: MessageClass<ProposedTransactionMessage>;
    readonly CommitStatusRequest: new () => CommitStatusRequestMessage;
    readonly SignedCommitStatusRequest: new () => SignedCommitStatusRequestMessage;
  };
  readonly msp: {
    readonly SerializedIdentity: MessageClass<SerializedIdentityMessage> & (new () => SerializedIdentityMessage);
  };
  readonly peer: {
    readonly Transaction: MessageClass<TransactionMessage>;
    readonly ChaincodeActionPayload: MessageClass<ActionPayloadMessage>;
  };
}

const ofGateway = createRequire(import.meta.url);
const ofClient = createRequire(ofGateway.resolve("@hyperledger/fabric-gateway"));

export const { common, gateway, msp, peer } = ofClient("@hyperledger/fabric-protos") as Protos;
