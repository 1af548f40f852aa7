import type { BillReport } from "@veilgrid/protocol";
import type { CaseView } from "@veilgrid/gateway";
import type { Reports } from "./lived-months.js";
import type { Story } from "./story.js";
import { nearest, total } from "./tariff.js";
import type { BillTruth, Customer, Truth } from "./truth.js";

const PER_MINOR = 10_000_000n;

/** Numbers as they are compared and shown. */
function text(values: readonly unknown[]): string {
  return JSON.stringify(values, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

function nanos({ lines }: BillReport): bigint[] {
  return lines.map(({ nano }) => BigInt(nano));
}

function figures({ supply, columns, eliminated, penalties, lines }: BillReport): Record<string, string> {
  return {
    supply: text([supply.from, supply.to]),
    consumption: text(columns.consumptionWh.map(String)),
    prices: text(columns.priceMicro),
    quality: text([...columns.quality]),
    eliminated: text([...eliminated]),
    penalties: text([...(penalties?.k ?? [])]),
    lines: text(lines.filter(({ name }) => !name.startsWith("delta/")).map(({ nano }) => nano)),
  };
}

function dueFigures(truth: BillTruth): Record<string, string> {
  return {
    supply: text([truth.from, truth.to]),
    consumption: text(truth.consumption.map(String)),
    prices: text(truth.prices.map(String)),
    quality: text(truth.quality),
    eliminated: text(truth.eliminated),
    penalties: text(truth.penalties),
    lines: text(truth.lines),
  };
}

function short(value: string): string {
  return value.length > 300 ? `${value.slice(0, 300)}...` : value;
}

/** What a bill says otherwise than the truth; nothing where it is exact. */
function billDifferences(who: string, report: BillReport | undefined, truth: BillTruth | undefined): string[] {
  if (report === undefined || truth === undefined) {
    return report === truth ? [] : [`${who}: ${report === undefined ? "no bill" : "a bill"}`];
  }
  const [said, due] = [figures(report), dueFigures(truth)];
  const wrong = Object.keys(due).filter((name) => said[name] !== due[name]);
  const minor = nearest(total(nanos(report)), PER_MINOR).toString();
  return [
    ...wrong.map((name) => `${who}: ${name}: ${short(said[name] as string)} instead of ${short(due[name] as string)}`),
    ...(report.total === minor ? [] : [`${who}: total ${report.total} instead of ${minor}`]),
  ];
}

/** What the deltas of all of a customer's bills say otherwise. */
function deltaDifferences(who: string, reports: Reports, truths: readonly (BillTruth | undefined)[]): string[] {
  const deltas = reports.flatMap((report) => report?.deltas ?? []);
  const said = deltas.flatMap(({ k, billedWh, settledWh }) => k.map((at, i) => [at, billedWh[i], settledWh[i]]));
  const due = truths.flatMap(
    (truth) => truth?.unsettled.map(({ k, billedWh, trueWh }) => [k, Number(billedWh), Number(trueWh)]) ?? [],
  );
  const nano = total(deltas.map((delta) => BigInt(delta.nano)));
  const owed = total(truths.flatMap((truth) => (truth === undefined ? [] : [truth.owedNano])));
  const wrong = text(said) === text(due) ? [] : [`${who}: settled ${short(text(said))} instead of ${short(text(due))}`];
  return nano === owed ? wrong : [...wrong, `${who}: deltas of ${nano} instead of ${owed}`];
}

/** What all bills of both months say otherwise than the file: figures and flags, deltas, and the two months' total. */
export function wrongBills(truth: Truth, customers: readonly Customer[], reports: readonly Reports[]): string[] {
  return customers.flatMap((customer, i) => {
    const own = reports[i] as Reports;
    const truths = [truth.bill(customer, 0), truth.bill(customer, 1)];
    const who = customer.name;
    const billed = total(own.flatMap((report) => (report === undefined ? [] : nanos(report))));
    const due = total(truths.flatMap((one) => (one === undefined ? [] : [one.trueNano])));
    return [
      ...own.flatMap((report, month) => billDifferences(`${who}, month ${month}`, report, truths[month])),
      ...deltaDifferences(who, own, truths),
      ...(billed === due ? [] : [`${who}: two months of ${billed} instead of ${due}`]),
    ];
  });
}

/** What a fault is called in a case, and whose it is by the meter's log. */
const NAMED = {
  silent: ["silent", "undelivered"],
  half: ["half", "undelivered"],
  late: ["silent", "undelivered"],
  unread: ["silent", "no-reading"],
  broken: ["implausible", "register"],
  keyless: ["silent", "keyless"],
} as const;

/** A case as a line: where, whether it is closed, whom it names, and why. */
function caseLine({ region, period, status, meters }: CaseView): string {
  const named = meters.map(({ meter, fault, finding }) => `${meter} ${fault} ${finding?.reason ?? "unknown"}`);
  return `${region}/${period.k} ${status}: ${named.sort().join(", ")}`;
}

/** The first month's cases as they have to be, ascending by region and period. */
export function dueCases(story: Story, truth: Truth): string[] {
  const regions = Array.from({ length: story.options.regions }, (_, i) => i + 1);
  return regions.flatMap((region) =>
    Array.from({ length: story.firstMonth }, (_, n) => n).flatMap((n) => {
      const faults = [...story.faultsIn(region, n)];
      if (faults.length === 0) return [];
      const named = faults.map(([meter, fault]) => `${meter} ${NAMED[fault].join(" ")}`);
      const status = truth.hasFault(region, n) ? "closed" : "finding";
      return [`${region}/${truth.k(n)} ${status}: ${named.sort().join(", ")}`];
    }),
  );
}

/** The cases as they are. */
export function caseLines(cases: readonly CaseView[]): string[] {
  return cases.map(caseLine);
}
