import { malformed } from "./bytes.js";
import { monthOf, periodsInMonth } from "./calendar.js";
import { canonicalBytes, canonicalJson, parseCanonical } from "./canonical.js";
import {
  type BillReport,
  QUALITY_CODES,
  REPORT_SCHEMA,
  REPORT_VERSION,
  type ReportColumns,
  type ReportDelta,
  type ReportPenalties,
  type SeedLeaf,
  type Supply,
} from "./report.js";
import {
  type Check,
  type Place,
  decimal,
  hex,
  integer,
  listOf,
  literal,
  naturalDecimal,
  objectOf,
  oneOf,
  orNull,
  text,
} from "./shape.js";
import { type TariffJson, tariffAt, tariffJson } from "./tariff.js";

/** The ledger bounds a reading by a uint32 (Params.maxWhPerPeriod). */
const MAX_WH = 0xffff_ffff;
const MAX_U32 = 0xffff_ffff;
/** Periods of the longest month, in quarters. */
const MAX_PERIODS = 2976;
const SECONDS_A_DAY = 86_400;
/** A path in a tree of at most 2^32 leaves. */
const MAX_PATH = 32;

const wattHours = integer(-MAX_WH, MAX_WH);
const k = integer(0, MAX_PERIODS - 1);
const month = text(/^(?:19[7-9][0-9]|[2-9][0-9]{3})-(?:0[1-9]|1[0-2])$/, "a month YYYY-MM from 1970 on");
const column = <T>(check: Check<T>): Check<readonly T[]> => listOf(check, 1, MAX_PERIODS);

/** A tariff in its one JSON form; the fields' own checks are the tariff's. */
const tariff: Check<TariffJson> = (value, place) => {
  const json = tariffJson(tariffAt(value, place));
  if (canonicalJson(json) !== canonicalJson(value)) throw place.refuse(place.path, "not the tariff's canonical form");
  return json;
};

const columns: Check<ReportColumns> = objectOf(
  {
    consumptionWh: column(wattHours),
    priceMicro: column(orNull(decimal)),
    costNano: column(decimal),
    quality: column(integer(0, QUALITY_CODES.length - 1)),
  },
  { tierNano: column(decimal) },
);

const span: Check<Supply> = objectOf({ from: k, to: integer(1, MAX_PERIODS) });

const penalties: Check<ReportPenalties> = objectOf({
  caseKey: hex(32),
  k: listOf(k, 0, MAX_PERIODS),
  caseId: listOf(hex(16), 0, MAX_PERIODS),
});

const delta: Check<ReportDelta> = objectOf({
  month,
  reason: text(/^\P{Cc}{1,200}$/u, "1 to 200 printable characters"),
  k: column(k),
  billedWh: column(wattHours),
  settledWh: column(wattHours),
  nano: decimal,
});

const seedLeaf: Check<SeedLeaf> = objectOf({
  epoch: objectOf({ region: integer(1, 0xffff), number: naturalDecimal }),
  first: k,
  seeds: objectOf({ s0: hex(32), s1: hex(32), r0: hex(32), r1: hex(32) }),
  path: objectOf({
    index: integer(0, MAX_U32),
    count: integer(1, MAX_U32),
    hashes: listOf(hex(32), 0, MAX_PATH),
  }),
});

const required = {
  schema: literal(REPORT_SCHEMA),
  version: literal(REPORT_VERSION),
  consortium: hex(32),
  bid: hex(16),
  month,
  supply: span,
  periodSeconds: integer(900, 1800),
  timeZone: text(/^[A-Za-z0-9_+/-]{1,64}$/, "an IANA time zone"),
  tariff,
  columns,
  eliminated: listOf(span, 0, MAX_PERIODS),
  lines: listOf(
    objectOf({
      name: text(/^(?:energy|tiers|adjustment|penalty|(?:fixed|tax|delta)\/(?:0|[1-9][0-9]{0,3}))$/, "a line's name"),
      nano: decimal,
      shown: decimal,
    }),
    1,
  ),
  total: decimal,
  feedback: objectOf(
    {
      energyWh: integer(Number.MIN_SAFE_INTEGER),
      measured: integer(0, MAX_PERIODS),
      missing: integer(0, MAX_PERIODS),
      estimated: integer(0, MAX_PERIODS),
    },
    { threshold: oneOf("below", "at", "above") },
  ),
  deltas: listOf(delta),
  seedLeaves: listOf(seedLeaf, 1),
};

const fields: Check<BillReport> = objectOf(required, { penalties });

/** A rule between fields: the path it is about, what is wrong, and whether the report keeps it. */
type Rule = readonly [path: string, why: string, kept: (report: BillReport) => boolean];

function ascending(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value > (values[i - 1] as number));
}

/** Spans that are not empty, lie within a supply, and neither overlap nor touch. */
function apart(spans: readonly Supply[], { from, to }: Supply): boolean {
  return spans.every((one, i) => {
    const before = spans[i - 1];
    return (before === undefined ? one.from >= from : one.from > before.to) && one.from < one.to && one.to <= to;
  });
}

/** Penalties for periods of the supply, each with its case. */
function fit({ k: ks, caseId }: ReportPenalties, { from, to }: Supply): boolean {
  return caseId.length === ks.length && ascending(ks) && ks.every((at) => from <= at && at < to);
}

const RULES: readonly Rule[] = [
  ["periodSeconds", "neither 900 nor 1800", (r) => r.periodSeconds === 900 || r.periodSeconds === 1800],
  ["supply", "empty", (r) => r.supply.from < r.supply.to],
  ["supply/to", "after the month's end", (r) => r.supply.to <= periodsInMonth(monthOf(r.month), r.periodSeconds)],
  [
    "columns",
    "not one entry for each period of the supply",
    (r) =>
      Object.values(r.columns).every((values: readonly unknown[]) => values.length === r.supply.to - r.supply.from),
  ],
  ["columns/tierNano", "not just with tiers", ({ columns: c, tariff: t }) => "tierNano" in c === "tiers" in t],
  [
    "columns/priceMicro",
    "null for another period than those without an epoch",
    ({ columns: c }) =>
      c.priceMicro.every((p, i) => (p === null) === (QUALITY_CODES[c.quality[i] ?? 0] === "no-epoch")),
  ],
  [
    "tariff/profile",
    "not one weight for each period of a day",
    ({ tariff: { profile }, periodSeconds }) =>
      profile === undefined || profile.length === SECONDS_A_DAY / periodSeconds,
  ],
  ["eliminated", "not ascending spans of the supply that lie apart", (r) => apart(r.eliminated, r.supply)],
  ["penalties", "not just with a fault penalty", (r) => "penalties" in r === "faultPenalty" in r.tariff],
  [
    "penalties",
    "not ascending periods of the supply, each with its case",
    ({ penalties: p, supply }) => p === undefined || fit(p, supply),
  ],
  ["feedback/threshold", "not just with an adjustment", (r) => "threshold" in r.feedback === "adjustment" in r.tariff],
  [
    "deltas",
    "columns of different length, or not ascending",
    (r) =>
      r.deltas.every((d) => d.billedWh.length === d.k.length && d.settledWh.length === d.k.length && ascending(d.k)),
  ],
  // The last bill settles its own month, too.
  ["deltas", "of a later month", (r) => r.deltas.every((d) => d.month <= r.month)],
  ["deltas", "not oldest first", (r) => r.deltas.every((d, i) => i === 0 || d.month >= (r.deltas[i - 1]?.month ?? ""))],
  // "A bill covers the customer's supply: from its first leaf's period to the stated end."
  ["seedLeaves", "the first is not the supply's", (r) => r.seedLeaves[0]?.first === r.supply.from],
  ["seedLeaves", "not ascending", (r) => ascending(r.seedLeaves.map(({ first }) => first))],
  ["seedLeaves", "after the supply's end", (r) => r.seedLeaves.every(({ first }) => first < r.supply.to)],
];

/**
 * The report in a JSON value: every field there, none unknown, none out of its range, and all consistent in form.
 * Whether its figures are right is `verifyBill`'s question.
 * @throws VeilgridError `malformed` naming the field.
 */
export function checkReport(value: unknown): BillReport {
  const refuse = (path: string, why: string): Error =>
    malformed("bill report", `${path === "" ? "the whole" : path}: ${why}`);
  const place: Place = { path: "", refuse };
  const report = fields(value, place);
  for (const [path, why, kept] of RULES) if (!kept(report)) throw refuse(path, why);
  return report;
}

/** The report's canonical JSON (RFC 8785), unpadded. @throws VeilgridError `malformed` for a report out of form. */
export function encodeReport(report: BillReport): Uint8Array {
  return canonicalBytes(checkReport(report));
}

/**
 * Reads a report strictly: decoding and encoding again gives the same bytes.
 * @throws VeilgridError `not-canonical` for another encoding, `malformed` naming the field for another form.
 */
export function parseReport(bytes: Uint8Array): BillReport {
  return checkReport(parseCanonical(bytes));
}
