import { monthOf, type Period } from "@veilgrid/protocol";
import { z } from "zod";
import type { Level } from "../ports/log.js";
import type { TimeScale } from "../process/clock.js";
import { clock, http, log, partyAddress, pathFrom, target, type HostPort } from "../process/shapes.js";
import type { ReplayOptions } from "./households.js";

/** Where a party answers meters. */
export interface PartyPlace {
  /** "host:port". */
  readonly target: string;
  /** Path of the certificate of the authority that signed its server's. */
  readonly authority: string;
  readonly serverName?: string | undefined;
}

/** What every process of meters is told; see docs/meters.md. Paths are absolute. */
export interface MetersideConfiguration {
  readonly params: string;
  readonly consortium?: string | undefined;
  readonly data: string;
  readonly das: readonly (PartyPlace & { readonly address: string })[];
  readonly kgcbp?: PartyPlace | undefined;
  readonly patienceSeconds?: number | undefined;
  readonly clock?: TimeScale | undefined;
  readonly http?: { readonly listen: HostPort } | undefined;
  readonly log: { readonly level: Level };
}

/** A register that is a household of a file. */
export interface CsvDriver extends ReplayOptions {
  readonly kind: "csv";
}

/** A register that is made up from the standard load profile. */
export interface ProfileDriver {
  readonly kind: "profile";
  readonly seed: string | number;
  readonly timezone?: string | undefined;
}

/** A register with a P1 port. */
export type P1DriverConfiguration = (
  | { readonly kind: "p1-tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "p1-serial"; readonly path: string; readonly baud: number }
) & { readonly toleranceSeconds?: number | undefined; readonly quietSeconds?: number | undefined };

export interface MeterConfiguration extends MetersideConfiguration {
  readonly role: "meter";
  /** The meter's name at KGCBP. */
  readonly name: string;
  readonly installed?: { readonly region: number; readonly month: number; readonly keyFile: string } | undefined;
  readonly device?: string | undefined;
  readonly proxy?: string | undefined;
  readonly driver:
    | (CsvDriver & { readonly household: string })
    | (ProfileDriver & { readonly household: number })
    | P1DriverConfiguration;
}

export interface FleetConfiguration extends MetersideConfiguration {
  readonly role: "fleet";
  /** Path of the file that names the meters with their keys. */
  readonly meters: string;
  readonly driver: CsvDriver | ProfileDriver;
  /** RFC 3339: the first period that counts is the one that this time lies in. */
  readonly first?: string | undefined;
  readonly connections: number;
  readonly inFlight: number;
}

/** Whole seconds of the meter's time. */
const seconds = z.number().int().min(1).max(3_600);

const month = z.string().transform((text, context): Period["month"] => {
  try {
    return monthOf(text);
  } catch {
    context.addIssue({ code: "custom", message: `"${text}" is no month, such as 2013-04` });
    return z.NEVER;
  }
});

const hex32 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits are due");

/** Where a party is: its address comes beside it, or is known. */
const place = (folder: string) =>
  ({ target, authority: pathFrom(folder), serverName: z.string().min(1).optional() }) as const;

/** The aggregators that are asked, and KGCBP's counter for deliveries of keys. */
const parties = (folder: string) =>
  ({
    das: z.array(z.strictObject({ address: partyAddress, ...place(folder) })).min(1, "an aggregator is due"),
    kgcbp: z.strictObject(place(folder)).optional(),
  }) as const;

/** What every process of meters has. */
const common = (folder: string) =>
  ({
    params: pathFrom(folder),
    consortium: hex32.optional(),
    data: pathFrom(folder),
    ...parties(folder),
    patienceSeconds: seconds.optional(),
    clock: clock.optional(),
    http: http.optional(),
    log: log.default({ level: "info" }),
  }) as const;

const csv = (folder: string) =>
  ({
    kind: z.literal("csv"),
    file: pathFrom(folder),
    timezone: z.string().optional(),
    start: z.string().optional(),
    begins: z.string().optional(),
    repeat: z.boolean().optional(),
  }) as const;

const profile = {
  kind: z.literal("profile"),
  seed: z.union([z.string(), z.number()]).default("veilgrid"),
  timezone: z.string().optional(),
} as const;

const port = z.number().int().min(1).max(65_535);
const quiet = { toleranceSeconds: seconds.optional(), quietSeconds: seconds.optional() } as const;

/** A meter's YAML, strict. */
export function meterShape(folder: string): z.ZodType<MeterConfiguration> {
  return z.strictObject({
    role: z.literal("meter"),
    name: z.string().min(1).max(255),
    ...common(folder),
    installed: z
      .strictObject({ region: z.number().int().min(1).max(65_535), month, keyFile: pathFrom(folder) })
      .optional(),
    device: pathFrom(folder).optional(),
    proxy: z.string().optional(),
    driver: z.discriminatedUnion("kind", [
      z.strictObject({ ...csv(folder), household: z.string().min(1) }),
      z.strictObject({ ...profile, household: z.number().int().min(0).default(0) }),
      z.strictObject({ kind: z.literal("p1-tcp"), host: z.string().min(1), port, ...quiet }),
      z.strictObject({
        kind: z.literal("p1-serial"),
        path: z.string().min(1),
        baud: z.number().int().min(300).max(4_000_000).default(115_200),
        ...quiet,
      }),
    ]),
  });
}

/** A fleet's YAML, strict. */
export function fleetShape(folder: string): z.ZodType<FleetConfiguration> {
  return z.strictObject({
    role: z.literal("fleet"),
    ...common(folder),
    meters: pathFrom(folder),
    driver: z.discriminatedUnion("kind", [z.strictObject(csv(folder)), z.strictObject(profile)]),
    first: z.string().optional(),
    connections: z.number().int().min(1).max(64).default(4),
    inFlight: z.number().int().min(1).max(10_000).default(256),
  });
}
