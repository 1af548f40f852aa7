// Narrow types of the protobuf classes that fabric-shim 2.5.8 uses (fabric-protos 0.2): what this ledger calls of them.

export interface Message {
  serializeBinary(): Uint8Array;
}

export interface TimestampMessage extends Message {
  setSeconds(seconds: number): void;
  setNanos(nanos: number): void;
}

export interface SerializedIdentityMessage extends Message {
  setMspid(msp: string): void;
  setIdBytes(bytes: Uint8Array): void;
}

export interface SignatureHeaderMessage extends Message {
  setCreator(creator: Uint8Array): void;
  setNonce(nonce: Uint8Array): void;
}

export interface ChannelHeaderMessage extends Message {
  setType(type: number): void;
  setChannelId(channel: string): void;
  setTxId(id: string): void;
  setTimestamp(time: TimestampMessage): void;
}

export interface HeaderMessage extends Message {
  setChannelHeader(header: Uint8Array): void;
  setSignatureHeader(header: Uint8Array): void;
}

/** The call's name and arguments as a contract's stub is given them. */
export interface ChaincodeInputMessage extends Message {
  setArgsList(args: readonly Uint8Array[]): void;
}

export interface ChaincodeSpecMessage extends Message {
  setInput(input: ChaincodeInputMessage): void;
}

export interface ChaincodeInvocationSpecMessage extends Message {
  setChaincodeSpec(spec: ChaincodeSpecMessage): void;
}

export interface ChaincodeProposalPayloadMessage extends Message {
  setInput(input: Uint8Array): void;
  getTransientmapMap(): { set(key: string, value: Uint8Array): unknown };
}

export interface ProposalMessage extends Message {
  setHeader(header: Uint8Array): void;
  setPayload(payload: Uint8Array): void;
}

/** What a client sends to an endorsing peer. */
export interface SignedProposalMessage extends Message {
  setProposalBytes(proposal: Uint8Array): void;
}

export interface QueryResultBytesMessage extends Message {
  setResultbytes(result: Uint8Array): void;
}

/** One batch of a range query's results. */
export interface QueryResponseMessage extends Message {
  setId(id: string): void;
  setHasMore(more: boolean): void;
  setResultsList(results: readonly QueryResultBytesMessage[]): void;
}

export interface KvMessage extends Message {
  setKey(key: string): void;
  setValue(value: Uint8Array): void;
}

export type New<T> = new () => T;

/** The namespaces of fabric-protos. */
export interface Protos {
  readonly common: {
    readonly ChannelHeader: New<ChannelHeaderMessage>;
    readonly Header: New<HeaderMessage>;
    readonly SignatureHeader: New<SignatureHeaderMessage>;
    readonly HeaderType: { readonly ENDORSER_TRANSACTION: number };
  };
  readonly msp: { readonly SerializedIdentity: New<SerializedIdentityMessage> };
  readonly ledger: { readonly queryresult: { readonly KV: New<KvMessage> } };
  readonly peer: {
    readonly ChaincodeInput: New<ChaincodeInputMessage>;
    readonly ChaincodeSpec: New<ChaincodeSpecMessage>;
    readonly ChaincodeInvocationSpec: New<ChaincodeInvocationSpecMessage>;
    readonly ChaincodeProposalPayload: New<ChaincodeProposalPayloadMessage>;
    readonly Proposal: New<ProposalMessage>;
    readonly SignedProposal: New<SignedProposalMessage>;
    readonly QueryResponse: New<QueryResponseMessage>;
    readonly QueryResultBytes: New<QueryResultBytesMessage>;
  };
}
