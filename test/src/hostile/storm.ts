import type { Attack } from "./attack.js";
import { every } from "./pace.js";
import { Papers } from "./papers.js";
import { address, openSession } from "./wire.js";

/** So many at once, again and again, from so many networks: each is well within its limits. */
const AT_ONCE = 700;
const EVERY_MS = 2_000;
const ADDRESSES = 100;

/** Bursts of TLS connections from many networks, each closed when it is open. */
export const storm: Attack = ({ folder }, tally) => {
  const port = Papers.of(folder).overview.places.das[0]?.meters ?? 0;
  const one = async (): Promise<void> => {
    tally.add("connections");
    const session = await openSession({ port, from: address(51, (tally.counts.connections ?? 0) % ADDRESSES) });
    if (session === undefined) return;
    tally.add("handshakes");
    session.destroy();
  };
  return (signal) =>
    every(EVERY_MS, signal, async () => {
      await Promise.all(Array.from({ length: AT_ONCE }, one));
    });
};
