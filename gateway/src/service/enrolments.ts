import { VeilgridError, fromHex, periodAt, periodStart, type Period } from "@veilgrid/protocol";
import { z } from "zod";
import type { Enrolment } from "../ports/keystore.js";
import { requirePrivate } from "../process/secret.js";
import { readWhole } from "../store/files.js";

const hex = (bytes: number): z.ZodString =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `${2 * bytes} hex digits are due`);

const shape = z.array(
  z.strictObject({
    meter: z.string().min(1),
    bid: hex(16),
    region: z.int().min(1).max(65_535),
    recipient: z.string().startsWith("age1"),
    device: z.string().startsWith("age1").optional(),
    from: z.string(),
    to: z.string().optional(),
    monthKey: hex(32),
  }),
);

/** A supply with its first key. */
export interface GivenEnrolment {
  readonly enrolment: Enrolment;
  readonly monthKey: Uint8Array;
}

function bad(path: string, why: string): VeilgridError {
  return new VeilgridError("bad-enrolments", `${path}: ${why}`, { facts: { path }, blame: "operator" });
}

function periodOf(path: string, text: string, periodSeconds: number): Period {
  const time = Date.parse(text);
  const period = Number.isNaN(time) ? undefined : periodAt(time, periodSeconds);
  if (period !== undefined && periodStart(period, periodSeconds) === time) return period;
  throw bad(path, `"${text}" is no time at which a period begins`);
}

/**
 * The supplies that KGCBP begins with: a file of JSON, which holds month keys and so is its owner's alone. It may be
 * deleted when the service has taken it in.
 * @throws VeilgridError `bad-enrolments`, which never says what is in it, `bad-secret-file`.
 */
export async function readEnrolments(path: string, periodSeconds: number): Promise<GivenEnrolment[]> {
  const text = await readWhole(path);
  if (text === undefined) return [];
  await requirePrivate(path);
  const { success, data, error } = shape.safeParse(parsed(path, text));
  if (!success) {
    const issue = error.issues[0];
    throw bad(path, `${(issue?.path ?? []).map(String).join(".")}: ${issue?.code ?? "malformed"}`);
  }
  return data.map(({ meter, bid, region, recipient, device, from, to, monthKey }) => ({
    enrolment: {
      meter,
      bid: fromHex(bid),
      region,
      recipient,
      device,
      from: periodOf(path, from, periodSeconds),
      to: to === undefined ? undefined : periodOf(path, to, periodSeconds),
    },
    monthKey: fromHex(monthKey),
  }));
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw bad(path, "it is no JSON");
  }
}
