import { readingLeaf } from "@veilgrid/protocol";
import type { Transport } from "../ports/transport.js";
import { decodeBodies, decodeBodiesWish, encodeAccepted, encodeBodiesWish } from "../transport/envelopes.js";
import { nameOf, slotOf } from "./names.js";
import type { OpenPeriod, Periods } from "./periods.js";
import type { HeldReading, Pools } from "./pool.js";
import { acceptedBody } from "./responses.js";
import type { MissingBodies } from "./voter.js";

/**
 * The bodies behind reading hashes. A proposal names readings by hash, because "the bodies are already there"; where one
 * is not, its leader has it. "A frozen DA still verifies and stores readings that a proposal or an *incomplete* names."
 */
export class Bodies {
  readonly #transport: Transport;
  readonly #pools: Pools;
  readonly #periods: Periods;

  constructor(modules: { readonly transport: Transport; readonly pools: Pools; readonly periods: Periods }) {
    this.#transport = modules.transport;
    this.#pools = modules.pools;
    this.#periods = modules.periods;
  }

  /** Answers another DA's wish with what is here. @throws VeilgridError `malformed`. */
  serve(bytes: Uint8Array): Uint8Array {
    const { region, period, hashes } = decodeBodiesWish(bytes);
    const held = this.#pools.find(slotOf(region, period))?.held();
    const found = hashes.flatMap((hash) => held?.get(nameOf(hash)) ?? []);
    return encodeAccepted(...found.map(({ signed }) => signed));
  }

  /** Asks the leader for bodies; `then` gets those that are wanted and valid, when they are stored. */
  fetch({ open, leader, hashes }: MissingBodies, then: (readings: readonly HeldReading[]) => Promise<void>): void {
    const wish = encodeBodiesWish({ region: open.region, period: open.period, hashes });
    const wanted = new Set(hashes.map(nameOf));
    this.#transport.request(leader, "bodies", wish, async (response) => {
      const leaves = acceptedBody(response, decodeBodies)?.map(readingLeaf) ?? [];
      const readings = await this.#periods.verified(open, leaves);
      const named = readings.filter(({ id }) => wanted.has(id));
      await this.store(open, named);
      await then(named);
    });
  }

  /** Stores verified readings that others named; says how many were new. */
  async store(open: OpenPeriod, readings: readonly HeldReading[]): Promise<number> {
    const fresh = readings.filter((reading) => open.pool.admit(reading));
    await this.#pools.persist(open, "n", fresh);
    return fresh.length;
  }
}
