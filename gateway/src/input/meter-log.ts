import { VeilgridError, fromHex, monthName, monthOf, toHex, type Period } from "@veilgrid/protocol";
import type { Proof, Refusal } from "@veilgrid/meter-client";
import { z } from "zod";

/** What a meter kept of a period: its reading, what aggregators receipted, and what they refused over their signature. */
export interface LoggedPeriod {
  /** Signed Wh; undefined where the register was not read. */
  readonly consumption: bigint | undefined;
  /** By half. */
  readonly proofs: readonly [Proof | undefined, Proof | undefined];
  readonly refusals: readonly Refusal[];
}

/** A meter's own log, which KGCBP reads from the device or its owner brings. It names no customer. */
export interface MeterLog {
  /** The operator's name of the meter. */
  readonly meter: string;
  /** Undefined of a period that the log does not go back to. */
  of(period: Period): LoggedPeriod | undefined;
}

/** A log that was read from a file, which says of which periods it is. */
export interface ReadMeterLog extends MeterLog {
  /** In the file's order. */
  readonly periods: readonly Period[];
}

const hex = (bytes?: number): z.ZodType<string> =>
  z.string().regex(bytes === undefined ? /^(?:[0-9a-f]{2})+$/ : new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const proofSchema = z.strictObject({ reading: hex(113), receipt: hex() });
const halfSchema = z.union([z.literal(0), z.literal(1)]);

const periodSchema = z.strictObject({
  month: z.string().regex(/^(?:19[7-9]\d|[2-9]\d{3})-(?:0[1-9]|1[0-2])$/),
  k: z.int().min(0).max(2975),
  consumptionWh: z
    .string()
    .regex(/^(?:0|-?[1-9]\d{0,18})$/)
    .nullable(),
  proofs: z.tuple([proofSchema.nullable(), proofSchema.nullable()]),
  refusals: z.array(z.strictObject({ half: halfSchema, da: z.int().min(0).max(255), answer: hex() })),
});

const logSchema = z.strictObject({
  format: z.literal("veilgrid/meter-log"),
  version: z.literal(1),
  meter: z.string().min(1).max(255),
  periods: z.array(periodSchema),
});

type PeriodJson = z.infer<typeof periodSchema>;

/** A meter log as JSON has it. */
export type MeterLogJson = z.infer<typeof logSchema>;

function slot({ month, k }: Period): string {
  return `${month}/${k}`;
}

function proofOf(json: PeriodJson["proofs"][0]): Proof | undefined {
  return json === null ? undefined : { reading: fromHex(json.reading), receipt: fromHex(json.receipt) };
}

function loggedOf({ consumptionWh, proofs, refusals }: PeriodJson): LoggedPeriod {
  return {
    consumption: consumptionWh === null ? undefined : BigInt(consumptionWh),
    proofs: [proofOf(proofs[0]), proofOf(proofs[1])],
    refusals: refusals.map(({ half, da, answer }) => ({ half, da, answer: fromHex(answer) })),
  };
}

/**
 * Reads a meter's log file. What it says is the meter's word; receipts and refusals in it are others' and are verified
 * where they are used.
 * @throws VeilgridError `bad-meter-log` naming the field.
 */
export function parseMeterLog(text: string): ReadMeterLog {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw bad("", "it is no JSON", cause);
  }
  return meterLogOf(json);
}

/** A meter's log of its JSON form. @throws VeilgridError `bad-meter-log` naming the field. */
export function meterLogOf(json: unknown): ReadMeterLog {
  const { meter, periods } = checked(json);
  const logged = new Map<string, LoggedPeriod>();
  const all: Period[] = [];
  for (const one of periods) {
    const period = { month: monthOf(one.month), k: one.k };
    all.push(period);
    logged.set(slot(period), loggedOf(one));
  }
  return { meter, periods: all, of: (period) => logged.get(slot(period)) };
}

function checked(json: unknown): MeterLogJson {
  const parsed = logSchema.safeParse(json);
  const [issue] = parsed.error?.issues ?? [];
  if (issue !== undefined) throw bad(issue.path.join("/"), issue.message, parsed.error);
  return parsed.data as MeterLogJson;
}

function bad(path: string, why: string, cause?: unknown): VeilgridError {
  const message = `bad meter log: ${path === "" ? "" : `${path}: `}${why}`;
  return new VeilgridError("bad-meter-log", message, { facts: { path, why }, blame: "caller", cause });
}

/** A log's JSON form, of the periods that it has. */
export function meterLogJson(log: MeterLog, periods: Iterable<Period>): MeterLogJson {
  const json = ({ reading, receipt }: Proof): PeriodJson["proofs"][0] => ({
    reading: toHex(reading),
    receipt: toHex(receipt),
  });
  const logged = [...periods].flatMap((period): PeriodJson[] => {
    const one = log.of(period);
    if (one === undefined) return [];
    const [first, second] = one.proofs;
    return [
      {
        month: monthName(period.month),
        k: period.k,
        consumptionWh: one.consumption?.toString() ?? null,
        proofs: [first === undefined ? null : json(first), second === undefined ? null : json(second)],
        refusals: one.refusals.map(({ half, da, answer }) => ({ half, da, answer: toHex(answer) })),
      },
    ];
  });
  return { format: "veilgrid/meter-log", version: 1, meter: log.meter, periods: logged };
}
