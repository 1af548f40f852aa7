import { comparePeriods, equalBytes, type Period } from "@veilgrid/protocol";
import type { ChainRef, EnrolmentId } from "../ports/keystore.js";
import type { Standing } from "./change-request.js";

function isSame(a: EnrolmentId, b: EnrolmentId): boolean {
  return equalBytes(a.bid, b.bid) && comparePeriods(a.from, b.from) === 0;
}

/** The supplies that no change has begun: the meter has their keys from its installation. */
function installed({ supplies, changes }: Pick<Standing, "supplies" | "changes">): ChainRef[] {
  const told = changes.flatMap(({ delivery }) => delivery?.chains.at(-1)?.enrolment ?? []);
  return supplies
    .filter((supply) => !told.some((enrolment) => isSame(enrolment, supply)))
    .map((enrolment) => ({ enrolment, first: enrolment.from }));
}

/**
 * The keys that a meter has once all its deliveries have reached it, ascending by the first period of each: what a
 * delivery without `keep` took away, because somebody else may have it, is not among them and never comes back.
 */
export function heldKeys(standing: Pick<Standing, "supplies" | "changes">): readonly ChainRef[] {
  let held: readonly ChainRef[] = installed(standing);
  for (const { delivery } of standing.changes) {
    if (delivery === undefined) continue;
    const { keep, chains } = delivery;
    const [next] = chains;
    const kept = keep && next !== undefined ? held.filter(({ first }) => comparePeriods(first, next.first) < 0) : [];
    held = [...kept, ...chains];
  }
  return held;
}

/** Whether a meter was told to delete its keys, and has none at a period yet. */
export function isSilenced({ changes }: Pick<Standing, "changes">, at: Period): boolean {
  return changes.some(({ delivery }) => {
    const [next] = delivery?.chains ?? [];
    return delivery?.keep === false && next !== undefined && comparePeriods(at, next.first) < 0;
  });
}
