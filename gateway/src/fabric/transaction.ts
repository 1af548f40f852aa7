import { compareKeys } from "../ledger/rwset.js";
import type { LedgerTransaction, Write } from "../ports/ledger.js";
import { badBlock } from "./faults.js";
import * as fields from "./fields.js";
import { Message } from "./protobuf.js";

/** What a transaction calls, and who signed it. */
interface Head {
  readonly txId: string;
  /** MSP of the client's organisation. */
  readonly caller: string;
  /** The chaincode that the endorsing peers ran. */
  readonly chaincode: string;
}

const TX_ID = /^[0-9a-f]{64}$/;
const MAX_NAME_BYTES = 0xffff;
const MAX_MSP_BYTES = 0xff;

/** Undefined for a configuration, which calls nothing. */
function readHead(header: Message): Head | undefined {
  const channel = header.inside(fields.HEADER.channelHeader);
  const type = channel.number(fields.CHANNEL_HEADER.type) & 0xffff_ffffn;
  if (type === fields.HEADER_TYPE.config) return undefined;
  if (type !== fields.HEADER_TYPE.endorserTransaction) throw badBlock("a transaction of no type");
  const extension = channel.inside(fields.CHANNEL_HEADER.extension);
  const signature = header.inside(fields.HEADER.signatureHeader);
  const creator = signature.inside(fields.SIGNATURE_HEADER.creator);
  const txId = channel.text(fields.CHANNEL_HEADER.txId);
  const caller = creator.text(fields.SERIALIZED_IDENTITY.mspid);
  if (!TX_ID.test(txId)) throw badBlock("a transaction id that is none");
  if (Buffer.byteLength(caller) > MAX_MSP_BYTES) throw badBlock("the name of an MSP that is none");
  const chaincodeId = extension.message(fields.CHAINCODE_HEADER_EXTENSION.chaincodeId);
  return { txId, caller, chaincode: chaincodeId.text(fields.CHAINCODE_ID.name) };
}

/** Text as fabric-shim gives it to a contract: what is not UTF-8 in it is replaced, so no argument stops a block. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

function readCall(proposal: Message): LedgerTransaction["call"] {
  const invocation = proposal.inside(fields.PROPOSAL_PAYLOAD.input);
  const spec = invocation.message(fields.INVOCATION_SPEC.chaincodeSpec);
  const [name = new Uint8Array(), ...args] = spec
    .message(fields.CHAINCODE_SPEC.input)
    .list(fields.CHAINCODE_INPUT.args);
  if (name.length > MAX_NAME_BYTES) throw badBlock("a function's name that is none");
  return { name: textOf(name), args: args.map(textOf) };
}

/** Fabric: a write without a value is a deletion, whether it says so or not (`rwsetutil.IsKVWriteDelete`). */
function readWrite(bytes: Uint8Array): Write {
  const write = new Message(bytes);
  const value = write.bytes(fields.KV_WRITE.value);
  const isDelete = write.number(fields.KV_WRITE.isDelete) !== 0n || value.length === 0;
  return { key: write.text(fields.KV_WRITE.key), value: isDelete ? undefined : value };
}

/** The writes in a namespace, each key once (the last write counts), in the order of the keys. */
function readWrites(set: Message, namespace: string): readonly Write[] {
  const last = new Map<string, Write>();
  for (const part of set.list(fields.READ_WRITE_SET.namespaces).map((bytes) => new Message(bytes))) {
    if (part.text(fields.NAMESPACE.namespace) !== namespace) continue;
    for (const bytes of part.inside(fields.NAMESPACE.rwset).list(fields.KV_READ_WRITE_SET.writes)) {
      const write = readWrite(bytes);
      last.set(write.key, write);
    }
  }
  return [...last.values()].sort((a, b) => compareKeys(a.key, b.key));
}

function readEvent(event: Message): LedgerTransaction["event"] {
  const name = event.text(fields.CHAINCODE_EVENT.eventName);
  return name === "" ? undefined : { name, payload: event.bytes(fields.CHAINCODE_EVENT.payload) };
}

/** Fabric takes transactions of one action only. */
function onlyAction(transaction: Message): Message {
  const [action, ...more] = transaction.list(fields.TRANSACTION.actions);
  if (action === undefined || more.length > 0) throw badBlock("a transaction of no action, or of several");
  return new Message(action).inside(fields.TRANSACTION_ACTION.payload);
}

/**
 * Reads a transaction that concerns a chaincode: one that calls it, or one that calls another and has it write. Of the
 * latter the call is named "other/function", and the event, which is the other's, is left out.
 * @param validation Fabric's name for the verdict.
 * @returns undefined for a configuration, and for a transaction that does not concern the chaincode.
 * @throws VeilgridError `bad-fabric-block`.
 */
export function readTransaction(
  envelope: Uint8Array,
  validation: string,
  chaincode: string,
): LedgerTransaction | undefined {
  const payload = new Message(envelope).inside(fields.ENVELOPE.payload);
  const head = readHead(payload.message(fields.PAYLOAD.header));
  if (head === undefined) return undefined;
  const action = onlyAction(payload.inside(fields.PAYLOAD.data));
  const response = action
    .message(fields.CHAINCODE_ACTION_PAYLOAD.action)
    .inside(fields.ENDORSED_ACTION.responsePayload)
    .inside(fields.RESPONSE_PAYLOAD.extension);
  const writes = readWrites(response.inside(fields.CHAINCODE_ACTION.results), chaincode);
  const isCalled = head.chaincode === chaincode;
  if (!isCalled && writes.length === 0) return undefined;
  const call = readCall(action.inside(fields.CHAINCODE_ACTION_PAYLOAD.proposalPayload));
  const event = isCalled ? readEvent(response.inside(fields.CHAINCODE_ACTION.events)) : undefined;
  return {
    txId: head.txId,
    caller: head.caller,
    call: isCalled ? call : { ...call, name: `${head.chaincode}/${call.name}` },
    writes,
    ...(event === undefined ? {} : { event }),
    validation,
  };
}
