import { equalBytes, isVeilgridError, type VeilgridError } from "@veilgrid/protocol";
import { BlockStream } from "./blockstream.js";
import { DEADLINES } from "./deadlines.js";
import { sourceFailed } from "./faults.js";
import { Gateways } from "./gateways.js";
import { machinePatience, type Patience } from "./patience.js";
import type { Profile } from "./profile.js";
import { readBlock } from "./rawblock.js";
import type { NamedSource } from "./source.js";

/** A peer that can be asked how far it is. */
export interface AskedPeer extends NamedSource {
  height(): Promise<bigint>;
}

/** What a peer's block says of everything up to it. */
export interface Hashes {
  /** Hash of the header, 32 bytes: which transactions there are, in which order. */
  readonly hash: Uint8Array;
  /** Commit hash, 32 bytes: which of them counted, and the state they lead to. Undefined for block 0, which has none. */
  readonly commitHash: Uint8Array | undefined;
}

/** Where a peer stands. */
export interface PeerStanding {
  readonly msp: string;
  /** Number of its blocks; undefined where it does not answer. */
  readonly height: bigint | undefined;
  /** Of its last block. */
  readonly last: Hashes | undefined;
  /** Of the last block that all peers have which answer. */
  readonly common: Hashes | undefined;
  /** Why it does not answer, or not with a block. */
  readonly fault: VeilgridError | undefined;
}

/** Where all peers stand. */
export interface PeerStandings {
  readonly peers: readonly PeerStanding[];
  /** How many blocks all have that answer; 0 where none does. */
  readonly height: bigint;
  /** Whether the peers that answer have one header hash and one commit hash at that height. */
  readonly agree: boolean;
}

async function hashesOf(peer: NamedSource, number: bigint, patience: Patience): Promise<Hashes> {
  const end = new AbortController();
  const stream = new BlockStream(peer, { reader: { parts: readBlock }, patience }, number, end.signal);
  try {
    const { hash, commitHash } = await stream.next(true);
    return { hash, commitHash };
  } finally {
    stream.close();
  }
}

async function tried<T>(peer: NamedSource, work: Promise<T>): Promise<T | VeilgridError> {
  return work.catch((error: unknown) => sourceFailed(peer.name, error));
}

async function standingAt(
  peer: AskedPeer,
  own: bigint | VeilgridError,
  height: bigint,
  patience: Patience,
): Promise<PeerStanding> {
  const nothing = { msp: peer.name, height: undefined, last: undefined, common: undefined };
  if (isVeilgridError(own)) return { ...nothing, fault: own };
  const at = (blocks: bigint): Promise<Hashes | VeilgridError> => tried(peer, hashesOf(peer, blocks - 1n, patience));
  const [last, common] = await Promise.all([at(own), at(height)]);
  if (isVeilgridError(last)) return { ...nothing, height: own, fault: last };
  if (isVeilgridError(common)) return { ...nothing, height: own, fault: common };
  return { msp: peer.name, height: own, last, common, fault: undefined };
}

function same(a: Hashes, b: Hashes): boolean {
  const bytes = ({ hash, commitHash = new Uint8Array() }: Hashes): readonly Uint8Array[] => [hash, commitHash];
  return bytes(a).every((part, i) => equalBytes(part, bytes(b)[i] as Uint8Array));
}

/** Compares peers at the height that all have reached which answer. */
export async function compareStandings(
  peers: readonly AskedPeer[],
  patience = machinePatience,
): Promise<PeerStandings> {
  const heights = await Promise.all(peers.map((peer) => tried(peer, peer.height())));
  const answered = heights.filter((height) => typeof height === "bigint");
  const height = answered.reduce((least, other) => (other < least ? other : least), answered[0] ?? 0n);
  const standings = await Promise.all(
    peers.map((peer, i) => standingAt(peer, heights[i] as bigint | VeilgridError, height, patience)),
  );
  const [first, ...others] = standings.map(({ common }) => common).filter((common) => common !== undefined);
  return { peers: standings, height, agree: first === undefined || others.every((other) => same(first, other)) };
}

/**
 * Asks each gateway's peer of a profile how far it is and what its blocks are: whether all have the same blocks and, by
 * Fabric's own commit hash, the same state.
 * @throws VeilgridError `bad-credentials`. Peers that do not answer are no error.
 */
export async function peerStandings(profile: Profile): Promise<PeerStandings> {
  const gateways = await Gateways.open(profile, { ...DEADLINES, lookUp: machinePatience.stall });
  try {
    const asked = gateways.caller(gateways.anyone).gateways;
    const peers = gateways.sources().map((source) => ({
      name: source.name,
      blocks: source.blocks.bind(source),
      height: async () => (await asked.find(({ msp }) => msp === source.name)?.height()) ?? 0n,
    }));
    return await compareStandings(peers);
  } finally {
    gateways.close();
  }
}
