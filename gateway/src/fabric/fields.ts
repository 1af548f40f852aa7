// The numbers of the fields that are read of a block, as fabric-protos 0.3 has them (common.proto, proposal.proto,
// proposal_response.proto, transaction.proto, chaincode.proto, chaincode_event.proto, identities.proto, rwset.proto,
// kv_rwset.proto).

export const BLOCK = { header: 1, data: 2, metadata: 3 } as const;
export const BLOCK_HEADER = { number: 1, previousHash: 2, dataHash: 3 } as const;
export const BLOCK_DATA = { data: 1 } as const;
export const BLOCK_METADATA = { metadata: 1 } as const;
export const METADATA = { value: 1 } as const;
/** Places in a block's metadata. */
export const METADATA_INDEX = { transactionsFilter: 2, commitHash: 4 } as const;

export const ENVELOPE = { payload: 1 } as const;
export const PAYLOAD = { header: 1, data: 2 } as const;
export const HEADER = { channelHeader: 1, signatureHeader: 2 } as const;
export const CHANNEL_HEADER = { type: 1, txId: 5, extension: 7 } as const;
export const HEADER_TYPE = { config: 1n, endorserTransaction: 3n } as const;
export const SIGNATURE_HEADER = { creator: 1 } as const;
export const SERIALIZED_IDENTITY = { mspid: 1 } as const;
export const CHAINCODE_HEADER_EXTENSION = { chaincodeId: 2 } as const;
export const CHAINCODE_ID = { name: 2 } as const;

export const TRANSACTION = { actions: 1 } as const;
export const TRANSACTION_ACTION = { payload: 2 } as const;
export const CHAINCODE_ACTION_PAYLOAD = { proposalPayload: 1, action: 2 } as const;
export const ENDORSED_ACTION = { responsePayload: 1 } as const;
export const PROPOSAL_PAYLOAD = { input: 1 } as const;
export const INVOCATION_SPEC = { chaincodeSpec: 1 } as const;
export const CHAINCODE_SPEC = { input: 3 } as const;
export const CHAINCODE_INPUT = { args: 1 } as const;
export const RESPONSE_PAYLOAD = { extension: 2 } as const;
export const CHAINCODE_ACTION = { results: 1, events: 2 } as const;
export const CHAINCODE_EVENT = { eventName: 3, payload: 4 } as const;

export const READ_WRITE_SET = { namespaces: 2 } as const;
export const NAMESPACE = { namespace: 1, rwset: 2 } as const;
export const KV_READ_WRITE_SET = { writes: 3 } as const;
export const KV_WRITE = { key: 1, isDelete: 2, value: 3 } as const;
