import { resolve } from "node:path";
import { z } from "zod";

const HOST_PORT = /^(\[[0-9a-fA-F:]+\]|[^\s:/]+):(\d{1,5})$/;

/** A host and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

function hostPort(text: string): HostPort | undefined {
  const [, host, digits] = HOST_PORT.exec(text) ?? [];
  const port = Number(digits);
  return host === undefined || port > 65_535 ? undefined : { host: host.replace(/^\[|\]$/g, ""), port };
}

/** Where to listen: "host:port"; port 0 takes a free one. */
export const listen = z.string().transform((text, context): HostPort => {
  const found = hostPort(text);
  if (found !== undefined) return found;
  context.addIssue({ code: "custom", message: `"${text}" is no host:port to listen on, such as 0.0.0.0:7051` });
  return z.NEVER;
});

/** Whom to call: "host:port". */
export const target = z.string().refine((text) => (hostPort(text)?.port ?? 0) > 0, {
  error: ({ input }) => `"${String(input)}" is no host:port to call, such as da0.example.org:7051`,
});

/** A party's address in the consortium. */
export const partyAddress = z.string().regex(/^(da\/.+|cc|kgcbp)$/, {
  error: ({ input }) => `"${String(input)}" is no party: da/ and an MSP id, cc, or kgcbp`,
});

const instant = z.string().transform((text, context): number => {
  const time = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && !Number.isNaN(time)) return time;
  context.addIssue({ code: "custom", message: `"${text}" is no RFC 3339 time, such as 2013-04-01T00:00:00Z` });
  return z.NEVER;
});

/** A time-lapse; see TimeScale. */
export const clock = z.strictObject({ origin: instant, start: instant, factor: z.number().min(0.001).max(100_000) });

export const log = z.strictObject({ level: z.enum(["error", "warn", "info", "debug"]).default("info") });

export const http = z.strictObject({ listen });

/** A path, relative to the folder of the configuration file. */
export function pathFrom(folder: string): z.ZodType<string, string> {
  return z
    .string()
    .min(1, "a path is due")
    .transform((path) => resolve(folder, path));
}
