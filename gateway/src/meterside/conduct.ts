import { VeilgridError } from "@veilgrid/protocol";
import type { Random } from "../ports/random.js";

/**
 * What is wrong with a simulated meter. silent: its register cannot be read. half: the second half of every period never
 * leaves. late: what it sends arrives when the window is over. duplicate: every reading goes to two aggregators at once.
 * wrong-clock: its oscillator is minutes off.
 */
export type Fault = "silent" | "half" | "late" | "duplicate" | "wrong-clock";

export const FAULTS: readonly Fault[] = ["silent", "half", "late", "duplicate", "wrong-clock"];

/** How many of a million meters have a fault. */
export type Shares = Readonly<Partial<Record<Fault, number>>>;

const MILLION = 1_000_000;

/** Whether a meter with that fault gets a receipt for each of its halves all the same. */
export function isServed(fault: Fault | undefined): boolean {
  return fault === undefined || fault === "duplicate";
}

/** "1%", "0.5%" or "0.01" as millionths. @throws VeilgridError `bad-option` for anything but a part of all. */
export function parseShare(text: string): number {
  const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,4})?)(%?)$/.exec(text) ?? [];
  const millionths = Math.round(Number(digits) * (percent === "%" ? MILLION / 100 : MILLION));
  if (digits !== undefined && millionths <= MILLION) return millionths;
  throw new VeilgridError("bad-option", `${text} is no share of the meters, such as 1% or 0.01`, {
    facts: { value: text },
    blame: "caller",
  });
}

/**
 * Who has which fault: of each as many as its share says, rounded, drawn anew by `random`.
 * @throws VeilgridError `bad-option` where the shares are more than all meters.
 */
export function faultsOf(shares: Shares, meters: number, random: Random): readonly (Fault | undefined)[] {
  const all = FAULTS.flatMap((fault) => {
    const count = Math.round(((shares[fault] ?? 0) * meters) / MILLION);
    return Array.from({ length: count }, () => fault);
  });
  if (all.length > meters) {
    throw new VeilgridError("bad-option", `${all.length} of ${meters} meters cannot be faulty`, {
      facts: { meters, faulty: all.length },
      blame: "caller",
    });
  }
  const drawn: (Fault | undefined)[] = Array.from({ length: meters }, (_, i) => all[i]);
  for (let i = meters - 1; i > 0; i -= 1) {
    const j = random.below(i + 1, "fault", i);
    [drawn[i], drawn[j]] = [drawn[j], drawn[i]];
  }
  return drawn;
}
