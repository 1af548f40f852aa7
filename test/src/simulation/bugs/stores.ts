import type { Store } from "@veilgrid/gateway";
import { AS_IT_IS, type Plan } from "../plan.js";
import { aggregatorOf } from "../roles.js";

/** A plan in which every honest aggregator has another store than its disk. */
function withStore(change: (store: Store) => Store): Plan {
  return {
    ...AS_IT_IS,
    aggregator: (isHostile) =>
      isHostile
        ? AS_IT_IS.aggregator(true)
        : ({ da, modules }) => aggregatorOf(da, { ...modules, store: change(modules.store) }),
  };
}

/** Writes whose first key begins so are said to be done, and are not. */
function forgetting(prefix: string): (store: Store) => Store {
  return (store) => ({
    get: (key) => store.get(key),
    range: (found) => store.range(found),
    write: (changes) => (changes[0]?.key.startsWith(prefix) === true ? Promise.resolve() : store.write(changes)),
  });
}

/** Writes whose first key begins so are said to be done when they have been asked for. */
function hasty(prefix: string): (store: Store) => Store {
  return (store) => ({
    get: (key) => store.get(key),
    range: (found) => store.range(found),
    write: (changes) => {
      const written = store.write(changes);
      return changes[0]?.key.startsWith(prefix) === true ? Promise.resolve() : written;
    },
  });
}

/** Votes are not persisted. */
export const votesForgotten = withStore(forgetting("vote/"));

/** Readings are acked before they are synced. */
export const acksBeforeSync = withStore(hasty("pool/"));
