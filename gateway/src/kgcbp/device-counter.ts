import { isVeilgridError } from "@veilgrid/protocol";
import type { Log } from "../ports/log.js";
import type { MeterChange } from "../ports/keystore.js";
import type { Handler } from "../ports/transport.js";
import { decodeDeliveryWish } from "../transport/delivery-wish.js";
import type { ChangeDesk } from "./change-desk.js";

const NOTHING = new Uint8Array(0);

/**
 * The counter that devices come to: who names an age recipient gets the newest delivery of keys of the meter that this
 * device is, if there is one that it has not taken. Nobody else can read it, so whoever asks may have it; a device whose
 * place another has taken gets nothing more.
 */
export function deviceCounter(meters: ChangeDesk, log: Log): Handler {
  return async (method, request, reply) => {
    if (method !== "delivery") return;
    try {
      const { device, serial } = decodeDeliveryWish(request);
      const change = newestOf(meters, device);
      reply(change === undefined || change.serial <= serial ? NOTHING : await meters.delivery(change));
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      // Its keys are erased, or the bytes are no wish: there is nothing for it here.
      log("debug", "no-delivery", { code: error.code });
      reply(NOTHING);
    }
  };
}

function newestOf(meters: ChangeDesk, device: string): MeterChange | undefined {
  for (const { changes } of meters.list()) {
    const newest = changes.findLast(({ delivery }) => delivery !== undefined);
    if (newest?.delivery?.device === device) return newest;
  }
  return undefined;
}
