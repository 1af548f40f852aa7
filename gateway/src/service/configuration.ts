import { z } from "zod";
import { LIMITS, type Limits } from "../grpc/limits.js";
import type { TimeScale } from "../process/clock.js";
import { clock, http, listen, log, partyAddress, pathFrom, target, type HostPort } from "../process/shapes.js";
import type { Level } from "../ports/log.js";

/** Where a service listens, with its own certificate. Paths are absolute. */
export interface Listening {
  readonly listen: HostPort;
  readonly certificate: string;
  readonly key: string;
}

/** Another party. */
export interface PeerEntry {
  readonly address: string;
  readonly target: string;
  readonly authority: string;
  readonly serverName?: string | undefined;
}

/** Where the ledger is. */
export type LedgerEntry =
  | {
      readonly kind: "embedded";
      readonly target: string;
      readonly authority: string;
      readonly serverName?: string | undefined;
      readonly certificate: string;
      readonly key: string;
    }
  | { readonly kind: "fabric"; readonly profile: string; readonly prefer?: string | undefined };

/** What differs from an audience's limits. */
export type LimitsEntry = { readonly [key in keyof Limits]?: number | undefined };

/** What bounds a service, and what it does at once. */
export interface ServiceLimits {
  readonly remembered?: number | undefined;
  readonly verificationThreads?: number | undefined;
  readonly verificationWaiting?: number | undefined;
  readonly bundleMs?: number | undefined;
  readonly meters?: LimitsEntry | undefined;
  readonly organisations?: LimitsEntry | undefined;
}

/** What every role's configuration has. */
export interface ServiceConfiguration {
  readonly msp: string;
  readonly secretFile: string;
  readonly otherSecretFiles: readonly string[];
  readonly params: string;
  readonly data: string;
  readonly ledger: LedgerEntry;
  readonly organisations: Listening;
  readonly peers: readonly PeerEntry[];
  readonly http: { readonly listen: HostPort };
  readonly clock?: TimeScale | undefined;
  readonly log: { readonly level: Level };
  readonly limits: ServiceLimits;
}

export interface DaConfiguration extends ServiceConfiguration {
  readonly role: "da";
  readonly meters: Listening;
}

export interface CcConfiguration extends ServiceConfiguration {
  readonly role: "cc";
  /** A price policy as `--price` takes it. */
  readonly policy: string;
  readonly timeZone?: string | undefined;
}

export interface KgcbpConfiguration extends ServiceConfiguration {
  readonly role: "kgcbp";
  readonly meters: Listening;
  readonly tariff?: string | undefined;
  readonly timeZone: string;
  readonly content: { readonly folder: string };
  readonly vault: string;
  readonly backup: string;
  readonly enrolments?: string | undefined;
}

type File = ReturnType<typeof pathFrom>;

function limitsOf(usual: Limits): z.ZodType<LimitsEntry> {
  const positive = z.number().positive().optional();
  return z.strictObject(Object.fromEntries(Object.keys(usual).map((key) => [key, positive])));
}

function ledgerShape(file: File): z.ZodType<LedgerEntry> {
  return z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("embedded"),
      target,
      authority: file,
      serverName: z.string().optional(),
      certificate: file,
      key: file,
    }),
    z.strictObject({ kind: z.literal("fabric"), profile: file, prefer: z.string().optional() }),
  ]);
}

/** The keys that every role has. */
function common(file: File): {
  readonly [key in keyof ServiceConfiguration]-?: z.ZodType<ServiceConfiguration[key]>;
} {
  return {
    msp: z.string().min(1),
    secretFile: file,
    otherSecretFiles: z.array(file).default([]),
    params: file,
    data: file,
    ledger: ledgerShape(file),
    organisations: listening(file),
    peers: z.array(
      z.strictObject({ address: partyAddress, target, authority: file, serverName: z.string().optional() }),
    ),
    http,
    clock: clock.optional(),
    log: log.prefault({}),
    limits: z
      .strictObject({
        remembered: z.int().min(0).optional(),
        verificationThreads: z.int().min(0).max(256).optional(),
        verificationWaiting: z.int().min(256).optional(),
        bundleMs: z.int().min(0).max(60_000).optional(),
        meters: limitsOf(LIMITS.meters).optional(),
        organisations: limitsOf(LIMITS.organisations).optional(),
      })
      .prefault({}),
  };
}

function listening(file: File): z.ZodType<Listening> {
  return z.strictObject({ listen, certificate: file, key: file });
}

/** The shape of an aggregator's file, whose paths are relative to `folder`. */
export function daShape(folder: string): z.ZodType<DaConfiguration> {
  const file = pathFrom(folder);
  return z.strictObject({ role: z.literal("da"), ...common(file), meters: listening(file) });
}

/** The shape of the control center's file. */
export function ccShape(folder: string): z.ZodType<CcConfiguration> {
  const file = pathFrom(folder);
  return z.strictObject({
    role: z.literal("cc"),
    ...common(file),
    policy: z.string().min(1),
    timeZone: z.string().optional(),
  });
}

/** The shape of KGCBP's file. */
export function kgcbpShape(folder: string): z.ZodType<KgcbpConfiguration> {
  const file = pathFrom(folder);
  return z.strictObject({
    role: z.literal("kgcbp"),
    ...common(file),
    meters: listening(file),
    tariff: file.optional(),
    timeZone: z.string().min(1),
    content: z.strictObject({ folder: file }),
    vault: file,
    backup: file,
    enrolments: file.optional(),
  });
}
