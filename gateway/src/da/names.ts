import type { Period } from "@veilgrid/protocol";

/** Bytes as a map's key: one character a byte, which is the cheapest string there is for them. */
export function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Bytes as lower-case hex, for keys of the store. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

function hex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** A region-period's name: fixed length, so that the order of names is that of regions and periods. */
export function slotOf(region: number, { month, k }: Period): string {
  return hex(region, 4) + hex(month, 8) + hex(k, 4);
}

/** The region and period of a name. */
export function parseSlot(slot: string): { readonly region: number; readonly period: Period } {
  const part = (from: number, to: number): number => Number.parseInt(slot.slice(from, to), 16);
  return { region: part(0, 4), period: { month: part(4, 12), k: part(12, 16) } };
}

/** The keys of an aggregator's durable memory. */
export const storeKey = {
  /** Verified readings of a region-period: `which` is "a" for those acked here, "n" for others. */
  pool: (slot: string, which: "a" | "n", name: Uint8Array): string => `pool/${slot}/${which}${hexOf(name)}`,
  pools: "pool/",
  lists: "list/",
  /** The PRID list of a region-period. */
  list: (slot: string): string => `list/${slot}`,
  /** The last frozen period of a region. */
  frozen: (region: number): string => `frozen/${hex(region, 4)}`,
  /** The last vote on a chain. */
  vote: (chain: number): string => `vote/${hex(chain, 4)}`,
  /** A pending transaction; `slot` orders those of a kind as a block does. */
  pending: (kind: number, slot: string): string => `pending/${hex(kind, 2)}/${slot}`,
  allPending: "pending/",
  /** The own term and the timeouts that led there. */
  term: "term",
  /** The last votes for leaders, the newest first. */
  ballot: "ballot",
} as const;
