import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { VeilgridError, fromHex, monthOf } from "@veilgrid/protocol";
import { z } from "zod";
import { requirePrivate } from "../process/secret.js";

/** A simulated meter, as it was installed. */
export interface FleetMeter {
  /** Unique in the fleet. */
  readonly name: string;
  readonly region: number;
  /** The month that `key` is of, 12·year + (month-1). */
  readonly month: number;
  /** K of that month, 32 bytes. */
  readonly key: Uint8Array;
}

const LINE = z.strictObject({
  name: z.string().min(1).max(255),
  region: z.number().int().min(1).max(65_535),
  month: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/),
  key: z.string().regex(/^[0-9a-f]{64}$/),
});

function bad(path: string, line: number, why: string): VeilgridError {
  return new VeilgridError("bad-fleet-file", `${path}, line ${line}: ${why}`, {
    facts: { path, line },
    blame: "operator",
  });
}

function meterOf(path: string, line: number, text: string): FleetMeter {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad(path, line, "it is no JSON");
  }
  const { success, data, error } = LINE.safeParse(value);
  // Zod's messages name keys and what is due, never the value: it may be a key.
  if (!success) throw bad(path, line, error.issues.map(({ path: at }) => `${at.join(".")} is not good`).join("; "));
  return { name: data.name, region: data.region, month: monthOf(data.month), key: fromHex(data.key) };
}

/** A line of the file. */
export function fleetLine({
  name,
  region,
  month,
  key,
}: Omit<FleetMeter, "month"> & { readonly month: string }): string {
  return `${JSON.stringify({ name, region, month, key: Buffer.from(key).toString("hex") })}\n`;
}

/**
 * The first `most` meters of a fleet's file: a line of JSON each, {"name", "region", "month", "key"}, in a file that its
 * owner alone may open.
 * @throws VeilgridError `bad-secret-file`, `bad-fleet-file`.
 */
export async function readFleet(path: string, most = Infinity): Promise<readonly FleetMeter[]> {
  await requirePrivate(path);
  const meters = new Map<string, FleetMeter>();
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() === "" || meters.size >= most) continue;
    const meter = meterOf(path, line, text);
    if (meters.has(meter.name)) throw bad(path, line, "the name is there twice");
    meters.set(meter.name, meter);
  }
  if (meters.size > 0) return [...meters.values()];
  throw bad(path, line, "it has no meters");
}
