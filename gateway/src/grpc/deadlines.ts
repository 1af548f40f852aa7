import type { Method } from "../ports/transport.js";

/**
 * Milliseconds in which an answer must be there, the way included. A receipt takes `roundSeconds` (10) where acks are
 * few; so may a vote on a proposal whose bodies must be fetched first; lists and proposals are megabytes.
 */
export const DEADLINES: Readonly<Record<Method, number>> = {
  reading: 15_000,
  time: 5_000,
  params: 10_000,
  forward: 10_000,
  propose: 30_000,
  bodies: 15_000,
  timeout: 5_000,
  timeouts: 5_000,
  elect: 10_000,
  transaction: 10_000,
  lists: 20_000,
  delivery: 10_000,
};
