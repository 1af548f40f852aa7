import { VeilgridError, deliveryCodec, type KeyChain } from "@veilgrid/protocol";
import { encryptTo, type SeededBytes } from "../bill/encryption.js";
import type { MeterChange } from "../ports/keystore.js";
import type { Desk } from "./desk.js";

/**
 * What meters are told of their keys (PROTOCOL section 7, Delivery). A delivery follows from the change that it belongs
 * to and the key store, so it can be made again as often as it takes to arrive.
 */
export class Deliveries {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /**
   * The delivery of a change: Delivery ‖ sig, encrypted to the device.
   * @param seeded only in a run with a seed.
   * @throws VeilgridError `nothing-to-deliver` for a change of which the meter is told nothing; `key-missing`.
   */
  async of(change: MeterChange, seeded?: SeededBytes): Promise<Uint8Array> {
    const { meter, serial, delivery } = change;
    if (delivery === undefined) {
      throw new VeilgridError("nothing-to-deliver", `meter ${meter} is told nothing of this change`, {
        facts: { meter, serial },
        blame: "caller",
      });
    }
    const { consortium, view } = this.#desk;
    const { version } = await view.currentParams();
    const { device, keep } = delivery;
    const chains = await this.#chains(delivery);
    const body = deliveryCodec.encode({ consortium, params: version, meter, device, serial, keep, chains });
    return encryptTo(device, this.#desk.sign("delivery", body), seeded);
  }

  async #chains({ chains }: NonNullable<MeterChange["delivery"]>): Promise<KeyChain[]> {
    const made: KeyChain[] = [];
    for (const { enrolment, first } of chains) {
      const { region } = this.#desk.register.get(enrolment);
      made.push({ region, first, key: await this.#desk.seeds.key(enrolment, first.month) });
    }
    return made;
  }
}
