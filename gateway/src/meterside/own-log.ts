import type { Meter } from "@veilgrid/meter-client";
import { monthAt, periodEnd, periodsInMonth, type Period } from "@veilgrid/protocol";
import { z } from "zod";
import { meterLogJson, type LoggedPeriod, type MeterLogJson } from "../input/meter-log.js";
import { doorRequest, type DoorRequests } from "../process/door.js";

/** What a running meter does for who is at the device. */
export function meterRequests(name: string, meter: Meter, periodSeconds: number): DoorRequests {
  const asked = z.strictObject({ month: z.int().min(0).optional() });
  return { "meter.log": doorRequest(asked, ({ month }) => ownLog(name, meter, { periodSeconds, month })) };
}

/**
 * The meter's own log, as far as it goes back: all periods that are over from the first one that was read on, what was not
 * read as such.
 */
async function ownLog(
  name: string,
  meter: Meter,
  { periodSeconds, month }: { readonly periodSeconds: number; readonly month: number | undefined },
): Promise<MeterLogJson> {
  const logged = new Map<Period, LoggedPeriod>();
  for (const period of overPeriods(meter, periodSeconds)) {
    const consumption = meter.consumption(period);
    if (consumption === undefined && logged.size === 0) continue;
    const proofs = [meter.proof(period, 0), meter.proof(period, 1)] as const;
    logged.set(period, { consumption, proofs, refusals: await meter.refusals(period) });
  }
  const periods = [...logged.keys()].filter((period) => month === undefined || period.month === month);
  return meterLogJson({ meter: name, of: (period) => logged.get(period) }, periods);
}

function* overPeriods({ now, logsFrom }: Meter, periodSeconds: number): Generator<Period> {
  for (let month = logsFrom; month <= monthAt(now); month += 1) {
    for (let k = 0; k < periodsInMonth(month, periodSeconds); k += 1) {
      if (periodEnd({ month, k }, periodSeconds) > now) return;
      yield { month, k };
    }
  }
}
