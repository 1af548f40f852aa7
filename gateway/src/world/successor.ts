import {
  composeParamsLeaf,
  newKeys,
  nextParams,
  provePossession,
  type ParamsChange,
  type ParamsValues,
  VeilgridError,
} from "@veilgrid/protocol";
import { daMsp } from "./consortium.js";
import type { Party, Seats } from "./seats.js";
import type { World } from "./world.js";

/** What is to be changed of a run's parameter set; aggregators by their seat, which is the number in their MSP id. */
export type RunChange =
  | { readonly what: "rotate"; readonly party: Party }
  | { readonly what: "add-da" }
  | { readonly what: "remove-da"; readonly seat: number }
  | { readonly what: "set"; readonly values: ParamsValues };

function changeOf(change: RunChange, seats: Seats): ParamsChange {
  switch (change.what) {
    case "rotate": {
      const { key } = seats.next(change.party);
      if (typeof change.party === "number") return { what: "rotate-da", msp: daMsp(change.party), key };
      return { what: `rotate-${change.party}`, key };
    }
    case "add-da":
      return { what: "add-da", msp: daMsp(seats.count), key: seats.first(seats.count).key };
    case "remove-da":
      return { what: "remove-da", msp: daMsp(change.seat) };
    case "set":
      return change;
  }
}

/** "Adding a DA, in this order: channel configuration, chaincode definition (endorsement Q of W), params block." */
function requireOrganisations(world: World, changes: readonly RunChange[]): void {
  const joining = changes.filter(({ what }) => what === "add-da").map((_, i) => world.seats.count + i);
  const missing = joining.find((seat) => !world.serves(daMsp(seat)));
  if (missing === undefined) return;
  const msp = daMsp(missing);
  throw new VeilgridError(
    "no-organisation",
    `the network has no organisation ${msp} that endorses: bring it in first (\`npm run fabric -- add da${missing}\`)`,
    { facts: { msp }, blame: "caller" },
  );
}

/**
 * Makes the leaf of a run's next version: new keys, their proofs of possession, and a seat for who joins. The world has to
 * be opened again before operators approve it, because its processes read their keys when they start.
 * @throws VeilgridError `no-organisation` for an aggregator that the network does not have, and as `nextParams`, with
 *   nothing made.
 */
export async function proposeParams(world: World, changes: readonly RunChange[]): Promise<Uint8Array> {
  const { view, seats } = world;
  const current = await view.currentParams();
  requireOrganisations(world, changes);
  const next = nextParams(
    current,
    changes.map((change) => changeOf(change, seats)),
  );
  for (const change of changes) {
    if (change.what === "rotate") await seats.rotate(change.party);
    else if (change.what === "add-da") await seats.add();
  }
  const consortium = await view.consortium();
  const secrets = seats.secretsOf(newKeys(next, current));
  return composeParamsLeaf(
    consortium,
    current,
    next,
    secrets.map((secret) => provePossession(consortium, next, secret)),
  );
}
