import { VeilgridError, type Period } from "@veilgrid/protocol";
import type { Proof } from "@veilgrid/meter-client";
import type { World } from "../world/world.js";

/** The receipts that a meter of the run has of a period, of none, one or both halves. @throws VeilgridError `unknown-meter`. */
export async function keptReceipts(world: World, meter: string, period: Period): Promise<Proof[]> {
  const log = await world.meterLog(meter, period);
  if (log !== undefined) return log.proofs.flatMap((proof) => proof ?? []);
  throw new VeilgridError(
    "unknown-meter",
    `the run has no meter ${meter} in the period, or its log does not go back so far`,
    {
      facts: { meter },
      blame: "caller",
    },
  );
}
