import { createHash } from "node:crypto";
import { utf8 } from "@veilgrid/protocol";
import type { Call } from "../ports/ledger.js";
import { Timestamp, common, peer } from "./fabric.js";
import type { ChaincodeInputMessage, SignedProposalMessage } from "./messages.js";
import type { Identity } from "./identity.js";

/** What a client asks endorsers to simulate, in the messages that fabric-shim's stub reads. */
export interface Proposal {
  readonly channel: string;
  /** Hex. */
  readonly txId: string;
  readonly identity: Identity;
  readonly call: Call;
  readonly input: ChaincodeInputMessage;
  readonly signed: SignedProposalMessage;
}

/** Where a proposal comes from, besides its call. */
export interface Origin {
  readonly channel: string;
  readonly identity: Identity;
  /** Never twice the same for one identity: the transaction's id follows from it. */
  readonly nonce: Uint8Array;
  /** Unix milliseconds. */
  readonly time: number;
}

/** A transaction's id: SHA-256 of nonce and creator, in hex, as Fabric has it. */
export function transactionId(nonce: Uint8Array, creator: Uint8Array): string {
  return createHash("sha256").update(nonce).update(creator).digest("hex");
}

function header({ channel, identity, nonce, time }: Origin, txId: string): Uint8Array {
  const timestamp = new Timestamp();
  timestamp.setSeconds(Math.floor(time / 1000));
  timestamp.setNanos((time % 1000) * 1_000_000);
  const ofChannel = new common.ChannelHeader();
  ofChannel.setType(common.HeaderType.ENDORSER_TRANSACTION);
  ofChannel.setChannelId(channel);
  ofChannel.setTxId(txId);
  ofChannel.setTimestamp(timestamp);
  const ofSignature = new common.SignatureHeader();
  ofSignature.setCreator(identity.creator);
  ofSignature.setNonce(nonce);
  const both = new common.Header();
  both.setChannelHeader(ofChannel.serializeBinary());
  both.setSignatureHeader(ofSignature.serializeBinary());
  return both.serializeBinary();
}

function payload(input: ChaincodeInputMessage, transient: Call["transient"]): Uint8Array {
  const spec = new peer.ChaincodeSpec();
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const whole = new peer.ChaincodeProposalPayload();
  whole.setInput(invocation.serializeBinary());
  const map = whole.getTransientmapMap();
  for (const [key, value] of Object.entries(transient ?? {})) map.set(key, value);
  return whole.serializeBinary();
}

/** The proposal of `call`. It carries no signature: there is no wire between an embedded ledger and who calls it. */
export function propose(call: Call, origin: Origin): Proposal {
  const { channel, identity, nonce } = origin;
  const txId = transactionId(nonce, identity.creator);
  const input = new peer.ChaincodeInput();
  input.setArgsList([call.name, ...call.args].map(utf8));
  const proposal = new peer.Proposal();
  proposal.setHeader(header(origin, txId));
  proposal.setPayload(payload(input, call.transient));
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposal.serializeBinary());
  return { channel, txId, identity, call, input, signed };
}
