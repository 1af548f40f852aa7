import { z } from "zod";
import type { MeterLogJson } from "../input/meter-log.js";
import type { MeterOrder, OperatedKgcbp } from "../kgcbp/operator.js";
import { doorRequest, type DoorRequests } from "../process/door.js";
import type { Ask } from "../process/door-client.js";

// What KGCBP's operator asks for through the door: each request by its name, with the shape of what is given with it.

/** What a method of OperatedKgcbp is given. */
type Asked<Name extends keyof OperatedKgcbp> = Parameters<OperatedKgcbp[Name]>[0];

const name = z.string().min(1).max(255);
const region = z.int().min(1).max(65_535);
const period = z.strictObject({ month: z.int().min(0), k: z.int().min(0).max(2_975) });
const wh = z
  .bigint()
  .min(-(2n ** 63n))
  .max(2n ** 63n - 1n);
/** No meter's log of a single device is longer. */
const MOST_VALUES = 200_000;

const ordered = { meter: name, at: period.optional() } as const;

const order: z.ZodType<MeterOrder> = z.discriminatedUnion("kind", [
  z.strictObject({ ...ordered, kind: z.literal("add"), region, customer: name, device: name }),
  z.strictObject({ ...ordered, kind: z.literal("remove") }),
  z.strictObject({
    ...ordered,
    kind: z.literal("replace"),
    device: name,
    key: z.enum(["kept", "fresh"]),
    compromised: z.boolean(),
  }),
  z.strictObject({ ...ordered, kind: z.literal("move"), region }),
  z.strictObject({ ...ordered, kind: z.literal("sell"), customer: name }),
  z.strictObject({ ...ordered, kind: z.literal("rekey"), compromised: z.boolean() }),
]);

/** Logs are checked where they are read. */
const log = z.custom<MeterLogJson>((value) => typeof value === "object" && value !== null);

const compared: z.ZodType<Asked<"compare">> = z.strictObject({ region, period, logs: z.array(log).max(1_000) });
const counted: z.ZodType<Asked<"count">> = z.strictObject({
  meter: name,
  counts: z.boolean(),
  from: period.optional(),
  dryRun: z.boolean(),
});
const settled: z.ZodType<Asked<"settle">> = z.strictObject({
  meter: name,
  values: z.array(z.strictObject({ period, wh })).max(MOST_VALUES),
  reason: z.string().optional(),
  dryRun: z.boolean(),
});
const changed: z.ZodType<Asked<"change">> = z.strictObject({ order, dryRun: z.boolean() });
const erased: z.ZodType<Asked<"erase">> = z.strictObject({
  month: z.int().min(0),
  early: z.boolean(),
  force: z.boolean(),
  dryRun: z.boolean(),
});
const nothing = z.strictObject({});

/** What a running KGCBP does for its operator. */
export function kgcbpRequests(kgcbp: OperatedKgcbp): DoorRequests {
  return {
    "kgcbp.cases": doorRequest(nothing, () => kgcbp.cases()),
    "kgcbp.compare": doorRequest(compared, (asked) => kgcbp.compare(asked)),
    "kgcbp.count": doorRequest(counted, (asked) => kgcbp.count(asked)),
    "kgcbp.settle": doorRequest(settled, (asked) => kgcbp.settle(asked)),
    "kgcbp.change": doorRequest(changed, (asked) => kgcbp.change(asked)),
    "kgcbp.meters": doorRequest(nothing, () => kgcbp.meters()),
    "kgcbp.months": doorRequest(nothing, () => kgcbp.months()),
    "kgcbp.erase": doorRequest(erased, (asked) => kgcbp.erase(asked)),
    "kgcbp.copy": doorRequest(nothing, () => kgcbp.copy()),
  };
}

/** A running KGCBP, through its door. What it throws comes through, too. */
export function kgcbpThrough(ask: Ask): OperatedKgcbp {
  // The service is of the same version, or the door would have said so: what it gives has these shapes.
  const given = async <Name extends keyof OperatedKgcbp>(
    what: Name,
    asked?: Asked<Name>,
  ): Promise<Awaited<ReturnType<OperatedKgcbp[Name]>>> =>
    (await ask(`kgcbp.${what}`, asked)) as Awaited<ReturnType<OperatedKgcbp[Name]>>;
  return {
    cases: () => given("cases"),
    compare: (asked) => given("compare", asked),
    count: (asked) => given("count", asked),
    settle: (asked) => given("settle", asked),
    change: (asked) => given("change", asked),
    meters: () => given("meters"),
    months: () => given("months"),
    erase: (asked) => given("erase", asked),
    copy: () => given("copy"),
  };
}
