import type { Facts } from "@veilgrid/protocol";

/*
 * What a meter needs of the world around it. The shapes are those of the gateway's ports, so that a simulation or a
 * service hands its own parts in; a meter's package imports nothing but the protocol.
 */

/** A pending action, until it has run. */
export interface MeterTimer {
  cancel(): void;
}

/** The meter's own oscillator: Unix milliseconds, possibly wrong (see Timekeeping). */
export interface MeterClock {
  now(): number;
  /** Runs `action` at `time`, at once where that is past. `label` names it in traces. */
  at(time: number, label: string, action: () => Promise<void> | void): MeterTimer;
}

/** One change of the store; without a value the key is deleted. */
export interface MeterChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** Durable memory. Many meters may share one: each keeps to keys that begin with its name. */
export interface MeterStore {
  get(key: string): Uint8Array | undefined;
  /** All changes or none; resolved only when they survive a crash. */
  write(changes: readonly MeterChange[]): Promise<void>;
  /** The entries whose keys start with `prefix`, ascending. */
  range(prefix: string): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]>;
}

/**
 * The way to the DAs, each addressed by `daAddress`: "da/" and its MSP id. Every request is a connection of
 * its own: halves travel on connections of their own, and the time is asked on connections that carry no reading.
 */
export interface MeterTransport {
  request(
    to: string,
    method: "reading" | "time" | "params",
    request: Uint8Array,
    onResponse?: (response: Uint8Array) => Promise<void> | void,
  ): void;
}

/** Uniform integers in [0, limit), each a function of what it is for. */
export interface MeterRandom {
  below(limit: number, ...labels: readonly (string | number)[]): number;
}

/** Takes what a meter has to say; never a PRID, never a secret. */
export type MeterLog = (level: "warn" | "info" | "debug", event: string, facts?: Facts) => void;

/**
 * Opens what is encrypted to the meter's own age identity, which it has from its manufacture and which never leaves it.
 * @throws VeilgridError `cannot-decrypt`.
 */
export type MeterOpener = (ciphertext: Uint8Array) => Promise<Uint8Array>;
