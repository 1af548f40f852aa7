import { VeilgridError, type Params } from "@veilgrid/protocol";

/** Which organisations may call a transaction; what they submit must besides carry the right signatures. */
export type Role = "aggregator" | "member";

/** @throws VeilgridError `wrong-organisation` for a caller that the parameter set does not name in that role. */
export function requireRole(msp: string, role: Role, params: Params): void {
  const aggregators = params.da.map((member) => member.msp);
  const allowed = role === "aggregator" ? aggregators : [...aggregators, params.cc.msp, params.kgcbp.msp];
  if (allowed.includes(msp)) return;
  throw new VeilgridError("wrong-organisation", `this transaction is for organisations with the role ${role}`, {
    facts: { msp, role },
    blame: "caller",
  });
}
