import type { Facts } from "@veilgrid/protocol";

/**
 * What a level is for. error: somebody must act. warn: something was refused or retried that an operator may want to
 * know. info: a step of the protocol is done. debug: everything else.
 */
export type Level = "error" | "warn" | "info" | "debug";

/** Takes what a role has to say: an event's stable name and its facts. Never a secret, never a BID beside a PRID. */
export type Log = (level: Level, event: string, facts?: Facts) => void;

/** Says nothing. */
export const silent: Log = () => undefined;
