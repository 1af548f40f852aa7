import type { VeilgridError } from "@veilgrid/protocol";
import type { Log } from "../ports/log.js";
import { resultDigest, withAllEndorsements } from "./endorsed.js";
import { faultOf, organisationsDiffer, refusalCode, refusedBy, unavailable, type Fault } from "./errors.js";
import type { Freshness } from "./freshness.js";
import type { GatewayPort, Proposed } from "./port.js";
import { pauseAfter, type Waiting } from "./waiting.js";

/** What one organisation makes of a proposal: `key` is equal for two that agree. */
type Opinion = { readonly msp: string; readonly key: string } & (
  { readonly transaction: Uint8Array } | { readonly refusal: VeilgridError } | { readonly fault: Fault }
);

/** What all of them made of it at one time. */
type Round = readonly Opinion[];
/** Equal opinions. */
type Group = readonly Opinion[];

export interface DifferingModules {
  readonly freshness: Freshness;
  readonly waiting: Waiting;
  readonly log: Log;
}

/** What is put to the organisations. */
export interface Question {
  readonly proposal: Proposed;
  /** The gateways of the organisations that endorse: each is asked what its own makes of it. */
  readonly endorsers: readonly GatewayPort[];
  /** How many have to agree. */
  readonly needed: number;
}

/**
 * How often all are asked. Peers that commit a block at different moments differ for that long, and no longer; who
 * differs each time does so by itself.
 */
const ROUNDS = 4;

async function opinionOf(gateway: GatewayPort, { bytes }: Proposed, freshness: Freshness): Promise<Opinion> {
  const { msp } = gateway;
  try {
    await freshness.of(gateway);
    const transaction = await gateway.endorse(bytes, [msp]);
    return { msp, key: `result ${resultDigest(transaction)}`, transaction };
  } catch (error) {
    const fault = faultOf("endorse", msp, error);
    if (fault.refusal === undefined) return { msp, key: "no answer", fault };
    return { msp, key: `refusal ${refusalCode(fault.refusal)}`, refusal: fault.refusal };
  }
}

/** Groups of equal opinions, the largest first; who gave no answer is in none. */
function groupsOf(opinions: readonly Opinion[]): readonly Group[] {
  const groups = new Map<string, Opinion[]>();
  for (const opinion of opinions) {
    if (!("fault" in opinion)) groups.set(opinion.key, [...(groups.get(opinion.key) ?? []), opinion]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

/** Q organisations make a transaction; so many refusals that Q cannot be had any more make a refusal. */
function isEnough(group: Group, members: number, needed: number): boolean {
  return group.length >= (group.some((opinion) => "refusal" in opinion) ? members - needed + 1 : needed);
}

/**
 * Whether to go by what the last round brought: at once where all that answer agree, after a second round where a
 * transaction has its quorum. A refusal that some do not share may come of peers that are behind, and has more time.
 */
function isDecided(rounds: readonly Round[], needed: number): boolean {
  const opinions = rounds.at(-1) ?? [];
  const [largest, ...others] = groupsOf(opinions);
  if (largest === undefined || !isEnough(largest, opinions.length, needed)) return false;
  return others.length === 0 || (rounds.length > 1 && largest.some((opinion) => "transaction" in opinion));
}

/** Who answered otherwise than those that decided, in every round. */
function differing(rounds: readonly Round[], decided: Group): readonly string[] {
  const reference = decided[0]?.msp;
  const differs = (round: Round, msp: string): boolean => {
    const opinion = round.find((other) => other.msp === msp);
    return opinion !== undefined && !("fault" in opinion) && opinion.key !== keyOf(round, reference);
  };
  const all = rounds.at(-1) ?? [];
  return all.map(({ msp }) => msp).filter((msp) => rounds.length > 1 && rounds.every((round) => differs(round, msp)));
}

function keyOf(round: Round, msp: string | undefined): string | undefined {
  return round.find((opinion) => opinion.msp === msp)?.key;
}

/** Nobody has enough: too few answer, or they do not agree. */
function undecided(opinions: Round, needed: number): VeilgridError {
  const faults = opinions.flatMap((opinion) => ("fault" in opinion ? [opinion.fault] : []));
  const [fault] = faults;
  if (fault !== undefined && opinions.length - faults.length < needed) return unavailable(fault);
  return organisationsDiffer(opinions, needed);
}

/**
 * Where organisations do not agree on a proposal, or one refuses it: asks each alone what it makes of it, and compares.
 * Fabric's own details blame whichever organisation comes second, so they are not used.
 * @returns the unsigned transaction, endorsed by those that agree.
 * @throws VeilgridError `endorse-refused` (`facts.differs` names who differed, if anyone did), `endorse-differs`,
 *   `ledger-unavailable` where too few answer.
 */
export async function settleDifference(question: Question, modules: DifferingModules): Promise<Uint8Array> {
  const { proposal, endorsers, needed } = question;
  const { freshness, waiting, log } = modules;
  const ask = (): Promise<Round> => Promise.all(endorsers.map((gateway) => opinionOf(gateway, proposal, freshness)));
  const rounds = [await ask()];
  while (rounds.length < ROUNDS && !isDecided(rounds, needed)) {
    await waiting.wait(pauseAfter(rounds.length, waiting));
    rounds.push(await ask());
  }
  const last = rounds.at(-1) as Round;
  const decided = groupsOf(last).find((group) => isEnough(group, endorsers.length, needed));
  if (decided === undefined) throw undecided(last, needed);
  const differs = differing(rounds, decided);
  if (differs.length > 0)
    log("warn", "organisation-differs", { organisations: differs.join(","), txId: proposal.txId });
  const transactions = decided.flatMap((opinion) => ("transaction" in opinion ? [opinion.transaction] : []));
  if (transactions.length > 0) return withAllEndorsements(transactions);
  const refusals = decided.flatMap((opinion) => ("refusal" in opinion ? [opinion.refusal] : []));
  throw refusedBy(refusals[0] as VeilgridError, differs);
}
