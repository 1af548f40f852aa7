import { VeilgridError, type LedgerView, type Params } from "@veilgrid/protocol";

/** Which organisations may call a transaction; what they submit must besides carry the right signatures. */
export type Role = "aggregator" | "member";

/** Whether a version of the parameter set names the organisation in that role. Which of its units calls makes no difference. */
export function hasRole(msp: string, role: Role, { da, cc, kgcbp }: Params): boolean {
  const members = role === "aggregator" ? da : [...da, cc, kgcbp];
  return members.some((member) => member.msp === msp);
}

/** @throws VeilgridError `wrong-organisation` unless `may` holds. */
export function requireOrganisation(may: boolean, msp: string, role: Role): void {
  if (may) return;
  throw new VeilgridError("wrong-organisation", `this transaction is for organisations with the role ${role}`, {
    facts: { msp, role },
    blame: "caller",
  });
}

/**
 * "Queries any member's MSP": also one that an earlier version named, since a removed DA serves until its periods'
 * blocks are in. What it may still read on the channel, the channel's own configuration says.
 */
export async function isMember(view: LedgerView, msp: string): Promise<boolean> {
  let params = await view.currentParams();
  while (!hasRole(msp, "member", params)) {
    if (params.version === 1) return false;
    params = await view.params(params.version - 1);
  }
  return true;
}
