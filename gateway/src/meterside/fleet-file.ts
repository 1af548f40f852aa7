import { VeilgridError, fromHex, monthOf } from "@veilgrid/protocol";
import { z } from "zod";
import { requirePrivate } from "../process/secret.js";
import { readWhole } from "../store/files.js";

/** A simulated meter, as it was installed. */
export interface FleetMeter {
  /** Unique in the fleet. */
  readonly name: string;
  /** Whose consumption it shows, by its number in the driver's households. */
  readonly household: number;
  readonly region: number;
  /** The month that `key` is of, 12·year + (month-1). */
  readonly month: number;
  /** K of that month, 32 bytes. */
  readonly key: Uint8Array;
}

const METERS = z.array(
  z.strictObject({
    name: z.string().min(1).max(255),
    household: z.int().min(0).optional(),
    region: z.int().min(1).max(65_535),
    month: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/),
    key: z.string().regex(/^[0-9a-f]{64}$/),
  }),
);

function bad(path: string, why: string): VeilgridError {
  return new VeilgridError("bad-fleet-file", `${path}: ${why}`, { facts: { path }, blame: "operator" });
}

async function parsed(path: string): Promise<unknown> {
  try {
    return JSON.parse((await readWhole(path)) ?? "");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw bad(path, "it is no JSON");
  }
}

/**
 * The first `most` meters of a fleet's file: a JSON array of {"name", "household", "region", "month", "key"}, in a file
 * that its owner alone may open. A meter that names no household has the one of its place.
 * @throws VeilgridError `bad-secret-file`, `bad-fleet-file`.
 */
export async function readFleet(path: string, most = Infinity): Promise<readonly FleetMeter[]> {
  await requirePrivate(path);
  const { success, data, error } = METERS.safeParse(await parsed(path));
  if (!success) {
    // Zod's messages may quote what they found, and that may be a key.
    const [issue] = error.issues;
    throw bad(path, `${issue?.path.join(".") ?? ""} is not what it should be`);
  }
  const meters = data.slice(0, most).map(({ name, household, region, month, key }, i) => ({
    ...{ name, region, household: household ?? i },
    ...{ month: monthOf(month), key: fromHex(key) },
  }));
  if (meters.length === 0) throw bad(path, "it has no meters");
  if (new Set(meters.map(({ name }) => name)).size < meters.length) throw bad(path, "a name is there twice");
  return meters;
}
