import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import {
  connect,
  hash,
  signers,
  StatusCode,
  type Gateway,
  type Identity,
  type Proposal,
  type Signer,
} from "@hyperledger/fabric-gateway";
import { VeilgridError } from "@veilgrid/protocol";
import { plain } from "../ledger/plain.js";
import type { Call } from "../ports/ledger.js";
import type { Connection } from "./connection.js";
import type { Deadlines } from "./deadlines.js";
import { addressed } from "./endorsed.js";
import { isOverdue, saidOf } from "./errors.js";
import { Message } from "./protobuf.js";
import type { CallerPort, GatewayPort, Outcome, Proposed } from "./port.js";
import type { Profile, ProfileClient, ProfileGateway } from "./profile.js";
import { gateway as messages, msp as identities } from "./sending.js";
import type { NamedSource, RawBlock } from "./source.js";

/** Fabric's own chaincode that answers from a peer's ledger. */
const QUERY_CHAINCODE = "qscc";
/** BlockchainInfo's field for the number of blocks (fabric-protos, common/ledger.proto). */
const HEIGHT = 1;
const NOT_THERE = "no such transaction ID";

const VALIDATIONS = new Map(Object.entries(StatusCode).map(([name, code]) => [code, name]));

/** An organisation's client: who it is, and how it signs. */
export interface Credentials {
  readonly identity: Identity;
  readonly signer: Signer;
}

/** @throws VeilgridError `bad-credentials` where certificate or key cannot be read. */
export async function readCredentials({ msp, certificate, key }: ProfileClient): Promise<Credentials> {
  try {
    const signer = signers.newPrivateKeySigner(createPrivateKey(await readFile(key)));
    return { identity: { mspId: msp, credentials: await readFile(certificate) }, signer };
  } catch (cause) {
    throw new VeilgridError("bad-credentials", `the certificate or the key of ${msp}'s client cannot be read`, {
      facts: { msp, certificate, key },
      blame: "operator",
      cause,
    });
  }
}

/** What the callers of a process share. */
export interface Shared {
  readonly profile: Profile;
  readonly connections: ReadonlyMap<ProfileGateway, Connection>;
  readonly deadlines: Deadlines;
}

function within(milliseconds: number): () => { deadline: number } {
  return () => ({ deadline: Date.now() + milliseconds });
}

function open({ connections, deadlines }: Shared, at: ProfileGateway, credentials: Credentials): Gateway {
  return connect({
    client: (connections.get(at) as Connection).client,
    ...credentials,
    hash: hash.sha256,
    evaluateOptions: within(deadlines.evaluate),
    endorseOptions: within(deadlines.endorse),
    submitOptions: within(deadlines.submit),
    commitStatusOptions: within(deadlines.commit),
    blockEventsOptions: within(deadlines.events),
  });
}

/** A gateway as one client uses it. */
class FabricGateway implements GatewayPort {
  readonly #shared: Shared;
  readonly #at: ProfileGateway;
  readonly #credentials: Credentials;
  #gateway: Gateway | undefined;

  constructor(shared: Shared, at: ProfileGateway, credentials: Credentials) {
    this.#shared = shared;
    this.#at = at;
    this.#credentials = credentials;
  }

  get msp(): string {
    return this.#at.msp;
  }

  get endorses(): boolean {
    return this.#at.endorses;
  }

  get gateway(): Gateway {
    this.#gateway ??= open(this.#shared, this.#at, this.#credentials);
    return this.#gateway;
  }

  evaluate(proposal: Uint8Array): Promise<Uint8Array> {
    return this.gateway.newProposal(proposal).evaluate().then(plain);
  }

  async endorse(proposal: Uint8Array, organisations?: readonly string[]): Promise<Uint8Array> {
    const bytes = organisations === undefined ? proposal : addressed(proposal, organisations);
    const transaction = await this.gateway.newProposal(bytes).endorse();
    return transaction.getBytes();
  }

  async order(transaction: Uint8Array): Promise<void> {
    await this.gateway.newTransaction(transaction).submit();
  }

  async outcome(txId: string): Promise<Outcome> {
    const { blockNumber, code } = await this.gateway.newCommit(this.#statusRequest(txId)).getStatus();
    return { blockNumber, validation: VALIDATIONS.get(code) ?? `CODE_${code}` };
  }

  async lookUp(txId: string): Promise<Outcome | undefined> {
    const { profile, deadlines } = this.#shared;
    const proposal = this.#ledgerQuery("GetTransactionByID", profile.channel, txId);
    try {
      await proposal.evaluate(within(deadlines.lookUp)());
    } catch (error) {
      if (saidOf(error).includes(NOT_THERE)) return undefined;
      throw error;
    }
    return this.outcome(txId);
  }

  async height(): Promise<bigint> {
    const { profile, deadlines } = this.#shared;
    const proposal = this.#ledgerQuery("GetChainInfo", profile.channel);
    return new Message(await proposal.evaluate(within(deadlines.lookUp)())).number(HEIGHT);
  }

  #ledgerQuery(name: string, ...args: readonly string[]): Proposal {
    const contract = this.gateway.getNetwork(this.#shared.profile.channel).getContract(QUERY_CHAINCODE);
    return contract.newProposal(name, { arguments: [...args] });
  }

  /** Asks for a transaction's status, unsigned. */
  #statusRequest(txId: string): Uint8Array {
    const { mspId, credentials } = this.#credentials.identity;
    const identity = new identities.SerializedIdentity();
    identity.setMspid(mspId);
    identity.setIdBytes(credentials);
    const request = new messages.CommitStatusRequest();
    request.setTransactionId(txId);
    request.setChannelId(this.#shared.profile.channel);
    request.setIdentity(identity.serializeBinary());
    const unsigned = new messages.SignedCommitStatusRequest();
    unsigned.setRequest(request.serializeBinary());
    return unsigned.serializeBinary();
  }
}

/** A client and the gateways of a profile. */
export class FabricCaller implements CallerPort {
  readonly #profile: Profile;
  readonly #credentials: Credentials;
  readonly #gateways: readonly FabricGateway[];

  constructor(shared: Shared, credentials: Credentials) {
    this.#profile = shared.profile;
    this.#credentials = credentials;
    this.#gateways = shared.profile.gateways.map((at) => new FabricGateway(shared, at, credentials));
  }

  get msp(): string {
    return this.#credentials.identity.mspId;
  }

  get gateways(): readonly GatewayPort[] {
    return this.#gateways;
  }

  /** Any gateway makes and signs messages; nothing is sent. */
  get #gateway(): Gateway {
    return (this.#gateways[0] as FabricGateway).gateway;
  }

  async propose({ name, args, transient }: Call): Promise<Proposed> {
    const contract = this.#gateway.getNetwork(this.#profile.channel).getContract(this.#profile.chaincode);
    const proposal = contract.newProposal(name, {
      arguments: [...args],
      ...(transient && { transientData: transient }),
    });
    const signature = await this.#credentials.signer(proposal.getDigest());
    const signed = this.#gateway.newSignedProposal(proposal.getBytes(), signature);
    return { txId: proposal.getTransactionId(), bytes: signed.getBytes() };
  }

  async sign(transaction: Uint8Array): Promise<Uint8Array> {
    const signature = await this.#credentials.signer(this.#gateway.newTransaction(transaction).getDigest());
    return this.#gateway.newSignedTransaction(transaction, signature).getBytes();
  }

  resultOf(transaction: Uint8Array): Uint8Array {
    return plain(this.#gateway.newTransaction(transaction).getResult());
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** The blocks of an organisation's peer. */
export class PeerBlocks implements NamedSource {
  readonly #gateway: () => Gateway;
  readonly #channel: string;
  readonly name: string;

  constructor(shared: Shared, at: ProfileGateway, credentials: Credentials) {
    this.#gateway = () => open(shared, at, credentials);
    this.#channel = shared.profile.channel;
    this.name = at.msp;
  }

  async *blocks(from: bigint, signal: AbortSignal): AsyncGenerator<RawBlock> {
    let next = from;
    while (!isAborted(signal)) {
      try {
        for await (const block of this.#stream(next, signal)) {
          yield block;
          next += 1n;
        }
      } catch (error) {
        if (isAborted(signal)) return;
        // Its deadline ends a stream that is well: it goes on where it was.
        if (!isOverdue(error)) throw error;
      }
    }
  }

  /** The blocks until the stream's deadline. */
  async *#stream(from: bigint, signal: AbortSignal): AsyncGenerator<RawBlock> {
    const events = await this.#gateway().getNetwork(this.#channel).getBlockEvents({ startBlock: from });
    const stop = (): void => {
      events.close();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const block of events) yield block.serializeBinary();
    } finally {
      signal.removeEventListener("abort", stop);
      events.close();
    }
  }
}
