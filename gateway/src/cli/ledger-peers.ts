import { toHex } from "@veilgrid/protocol";
import type { Command } from "commander";
import type { Hashes, PeerStanding, PeerStandings } from "../fabric/peers.js";
import { EXIT } from "./failure.js";
import { examples, jsonOption } from "./options.js";
import { counted, line, printJson, printTable } from "./output.js";

interface PeersOptions {
  readonly profile: string;
  readonly json?: boolean;
}

const NOTES = `The header hash says which transactions a peer has, the commit hash (each peer makes its own) which of them counted
and what state they lead to. Peers are compared at the height that all have which answer. Exit code 1: they differ.`;

/** `veilgrid ledger peers`: whether all peers of a Fabric channel have the same ledger. */
export function addLedgerPeers(parent: Command): void {
  parent
    .command("peers")
    .description("tell how far each peer of a Fabric channel is, and whether all have the same blocks and state")
    .requiredOption("--profile <file>", "connection profile of a Fabric network")
    .addOption(jsonOption())
    .addHelpText("after", examples(["veilgrid ledger peers --profile .fabric/profile.json"], NOTES))
    .action((options: PeersOptions) => showPeers(options));
}

async function showPeers({ profile, json = false }: PeersOptions): Promise<void> {
  // Loaded when they are needed: nothing else of a ledger's commands needs gRPC.
  const { readProfile } = await import("../fabric/profile.js");
  const { peerStandings } = await import("../fabric/peers.js");
  const standings = await peerStandings(await readProfile(profile));
  if (json) printJson(jsonOf(standings));
  else printStandings(standings);
  if (!standings.agree) process.exitCode = EXIT.failed;
}

function jsonHashes(hashes: Hashes | undefined): object {
  if (hashes === undefined) return {};
  return { hash: toHex(hashes.hash), ...(hashes.commitHash && { commitHash: toHex(hashes.commitHash) }) };
}

function jsonOf({ peers, height, agree }: PeerStandings): object {
  return {
    agree,
    height,
    peers: peers.map(({ msp, height: own, last, common, fault }) => ({
      msp,
      ...(own !== undefined && { height: own }),
      ...jsonHashes(last),
      ...(common !== undefined && { common: jsonHashes(common) }),
      ...(fault !== undefined && { fault: fault.code }),
    })),
  };
}

function rowOf({ msp, height, last, common, fault }: PeerStanding): string[] {
  if (last === undefined || common === undefined) return [msp, height?.toString() ?? "", "", "", fault?.code ?? ""];
  const short = (hash: Uint8Array | undefined): string => (hash === undefined ? "" : toHex(hash).slice(0, 16));
  return [msp, height?.toString() ?? "", short(common.hash), short(common.commitHash), ""];
}

function printStandings({ peers, height, agree }: PeerStandings): void {
  printTable(["peer", "blocks", "header hash", "commit hash", "fault"], peers.map(rowOf), [1]);
  const answered = peers.filter(({ fault }) => fault === undefined).length;
  const verdict = agree ? "have the same blocks and state" : "DIFFER";
  line(`${counted(answered, "peer")} at ${counted(Number(height), "block")} ${verdict}`);
}
