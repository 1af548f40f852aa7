import type { Method, Packet, SimNetwork } from "@veilgrid/gateway";

/** Keeps a copy of everything that the network carries by some methods. */
export function wiretap(network: SimNetwork, methods: readonly Method[]): Packet[] {
  const seen: Packet[] = [];
  network.drop((packet) => {
    if (methods.includes(packet.method)) seen.push({ ...packet, bytes: packet.bytes.slice() });
    return false;
  });
  return seen;
}
