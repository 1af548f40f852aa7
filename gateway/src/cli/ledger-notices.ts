import type { Facts } from "@veilgrid/protocol";
import type { Log } from "../ports/log.js";
import { notice } from "./output.js";

/** Milliseconds in which the same is said once: as long as a gateway that failed is asked last. */
const REPEATED = 60_000;

/** Characters of what peers said: one line of a terminal. */
const SAID = 120;

type Sentence = (facts: Facts) => string;

function clipped(said: Facts[string] | undefined): string {
  const [first = ""] = String(said ?? "").split("\n");
  return first.length <= SAID ? first : `${first.slice(0, SAID)}…`;
}

function gatewayFailed({ gateway, phase, kind, said }: Facts): string {
  const whose = `${String(gateway)}'s gateway`;
  if (kind === "timeout") return `${whose} does not answer (${String(phase)}): it is asked last for a minute`;
  return `${whose} fails (${String(phase)}): it is asked last for a minute: ${clipped(said)}`;
}

function sourceLeft({ source, code, next }: Facts): string {
  if (code === "preferred") return `${String(next)}'s peer is followed again`;
  if (source === next) return `${String(source)}'s peer gives no blocks (${String(code)}): it is asked again`;
  return `${String(source)}'s peer gives no blocks (${String(code)}): ${String(next)}'s is followed`;
}

function unsettled({ txId, phase, gateway, code }: Facts): string {
  const why = code === undefined ? `${String(phase)} at ${String(gateway)}` : String(code);
  return `transaction ${String(txId).slice(0, 16)} is not known to be committed (${why}): it is looked up and sent again`;
}

/** What a Fabric ledger logs that whoever runs a command wants to know. What roles log is none of it. */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  "gateway-failed": gatewayFailed,
  "ledger-source-left": sourceLeft,
  "transaction-unsettled": unsettled,
  "transaction-settled": ({ txId, validation, blockNumber }) =>
    `transaction ${String(txId).slice(0, 16)} of an earlier process is in block ${String(blockNumber)}: ${String(validation)}`,
  "endorsed-slowly": ({ seconds, without }) =>
    `an endorsement took ${String(seconds)} s and came without ${String(without)}: asked last for a minute`,
  "committed-slowly": ({ seconds }) => `a transaction took ${String(seconds)} s to be committed: orderers may be away`,
  "organisation-differs": ({ organisations, txId }) =>
    `${String(organisations)} differs from the others on transaction ${String(txId).slice(0, 16)}`,
  "replica-behind": ({ blockNumber }) => `block ${String(blockNumber)} is committed, and no peer gives it yet`,
};

/**
 * A log that tells, in plain lines, what slows a run on Fabric down.
 * @param say takes a line; `now` is in milliseconds on a clock that does not jump.
 */
export function ledgerNotices(say = notice, now = (): number => performance.now()): Log {
  const said = new Map<string, number>();
  return (_, event, facts = {}) => {
    const text = SENTENCES[event]?.(facts);
    if (text === undefined || now() - (said.get(text) ?? -Infinity) < REPEATED) return;
    said.set(text, now());
    say(text);
  };
}
