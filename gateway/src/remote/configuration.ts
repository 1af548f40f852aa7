import { z } from "zod";
import { clock, http, listen, log, pathFrom, type HostPort } from "../process/shapes.js";
import type { TimeScale } from "../process/clock.js";
import type { Level } from "../ports/log.js";

/** The configuration of a ledger service. */
export interface LedgerServiceConfiguration {
  readonly role: "ledger";
  /** File of the parameter set's version 1. */
  readonly params: string;
  /** Folder of its database. */
  readonly data: string;
  readonly listen: HostPort;
  /** Files (PEM) of the service's own certificate and key. */
  readonly certificate: string;
  readonly key: string;
  /** Whose clients may call, each by the file (PEM) of its authority. */
  readonly callers: readonly { readonly msp: string; readonly authority: string }[];
  readonly http?: { readonly listen: HostPort } | undefined;
  readonly clock?: TimeScale | undefined;
  readonly log?: { readonly level: Level } | undefined;
}

/** The shape of a ledger service's file, whose paths are relative to `folder`. */
export function ledgerServiceShape(folder: string): z.ZodType<LedgerServiceConfiguration> {
  const path = pathFrom(folder);
  return z.strictObject({
    role: z.literal("ledger"),
    params: path,
    data: path,
    listen,
    certificate: path,
    key: path,
    callers: z.array(z.strictObject({ msp: z.string().min(1), authority: path })).min(1),
    http: http.optional(),
    clock: clock.optional(),
    log: log.optional(),
  });
}
