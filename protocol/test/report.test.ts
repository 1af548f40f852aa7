import { readFileSync } from "node:fs";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import { expect } from "chai";
import fc from "fast-check";
import {
  canonicalBytes,
  canonicalJson,
  checkReport,
  deriveSeeds,
  draftReport,
  encodeReport,
  isVeilgridError,
  monthOf,
  padReport,
  parseReport,
  parseTariff,
  plaintextBytes,
  sha256,
  toHex,
  utf8,
  type Penalties,
  type ReportInput,
} from "../src/index.js";
import { anyTariff } from "./billing.js";

const schema = JSON.parse(
  readFileSync(new URL("../../schema/bill-report.schema.json", import.meta.url), "utf8"),
) as AnySchema;
const validates = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(schema);

const consortium = sha256(utf8("consortium"));
const seeds = deriveSeeds(sha256(utf8("key")), consortium, monthOf("2026-03"));
const leaf = {
  region: 1,
  number: 9007199254740993n,
  first: 1344,
  seeds,
  path: { index: 1, count: 3, hashes: [sha256(utf8("a")), sha256(utf8("b"))] },
};

const input: ReportInput = {
  consortium,
  bid: new Uint8Array(16).fill(0xab),
  month: monthOf("2026-03"),
  supply: { from: 1344, to: 1347 },
  periodSeconds: 1800,
  timeZone: "Europe/Zurich",
  tariff: parseTariff({ minorDigits: 2 }),
  readings: [500n, undefined, -1250n],
  prices: [245300n, 251700n, -40100n],
  leaves: [leaf],
};

const full: ReportInput = {
  ...input,
  tariff: parseTariff({
    minorDigits: 2,
    currency: "CHF",
    tiers: [[300, 210000], [null, 340000]], // prettier-ignore
    fixed: [123456789],
    taxes: [190000],
    adjustment: { thresholdWh: 0, below: "-1", above: 1 },
    faultPenalty: 5_000_000_000,
    missingRule: "profile",
    profile: Array.from({ length: 48 }, (_, i) => i),
  }),
  prices: [245300n, undefined, -40100n],
  readings: [500n, undefined, undefined],
  eliminated: [
    { from: 1344, to: 1345 },
    { from: 1346, to: 1347 },
  ],
  penalties: { caseKey: sha256(utf8("case key")), cases: [{ k: 1346, id: new Uint8Array(16).fill(0xca) }] },
  deltas: [{ month: "2026-02", reason: "meter log", k: [0, 7], billedWh: [0, 0], settledWh: [-5, 9], nano: "-77" }],
  leaves: [leaf, { ...leaf, region: 65535, number: 3n, first: 1346 }],
};

const report = draftReport(full);

/** The field that a malformed report is refused for, or the code of another refusal. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isVeilgridError(error, "malformed")) return String(error.facts.why);
    if (isVeilgridError(error)) return error.code;
    throw error;
  }
  return "accepted";
}

/** A deep copy of the full report as plain JSON, to be spoilt. */
function copy(): Record<string, unknown> {
  return JSON.parse(canonicalJson(report)) as Record<string, unknown>;
}

/** An object less one of its fields. */
function without(value: object, name: string): object {
  return Object.fromEntries(Object.entries(value).filter(([field]) => field !== name));
}

type Step = string | number;

/** The paths of every field and element of a JSON value. */
function pathsOf(value: unknown, at: readonly Step[] = []): (readonly Step[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const path = [...at, Array.isArray(value) ? Number(name) : name];
    return [path, ...pathsOf(field, path)];
  });
}

/** What holds the last step of a path. */
function holder(value: unknown, path: readonly Step[]): Record<Step, unknown> {
  return path.slice(0, -1).reduce((inner, step) => (inner as Record<Step, unknown>)[step], value) as Record<
    Step,
    unknown
  >;
}

describe("bill report", () => {
  it("is the canonical JSON that is published, field by field", () => {
    const hex = (name: keyof typeof seeds): string => toHex(seeds[name]);
    expect(new TextDecoder().decode(encodeReport(draftReport(input)))).to.equal(
      `{"bid":"${"ab".repeat(16)}","columns":{"consumptionWh":[500,0,-1250],"costNano":["122650000","0","50125000"],` +
        `"priceMicro":["245300","251700","-40100"],"quality":[0,1,0]},"consortium":"${toHex(consortium)}","deltas":[],` +
        `"eliminated":[],"feedback":{"energyWh":-750,"estimated":0,"measured":2,"missing":1},` +
        `"lines":[{"name":"energy","nano":"172775000","shown":"17"}],"month":"2026-03","periodSeconds":1800,` +
        `"schema":"veilgrid/bill-report","seedLeaves":[{"epoch":{"number":"9007199254740993","region":1},"first":1344,` +
        `"path":{"count":3,"hashes":["${toHex(sha256(utf8("a")))}","${toHex(sha256(utf8("b")))}"],"index":1},` +
        `"seeds":{"r0":"${hex("r0")}","r1":"${hex("r1")}","s0":"${hex("s0")}","s1":"${hex("s1")}"}}],` +
        `"supply":{"from":1344,"to":1347},"tariff":{"fixed":[],"minorDigits":2,"missingRule":"zero","taxes":[]},` +
        `"timeZone":"Europe/Zurich","total":"17","version":1}`,
    );
  });

  it("comes back from its bytes, and satisfies the published schema", () => {
    for (const made of [draftReport(input), report]) {
      const bytes = encodeReport(made);
      expect(encodeReport(parseReport(bytes))).to.deep.equal(bytes);
      expect(parseReport(bytes)).to.deep.equal(made);
      expect(validates(made), JSON.stringify(validates.errors)).to.be.true;
    }
  });

  it("satisfies the published schema with any tariff and readings", () => {
    const anyReport = fc
      .record({
        tariff: anyTariff,
        periods: fc.array(
          fc.tuple(
            fc.option(fc.bigInt({ min: -4294967295n, max: 4294967295n }), { nil: undefined }),
            fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { nil: undefined }),
          ),
          { minLength: 3, maxLength: 144 },
        ),
      })
      .map(({ tariff, periods }) =>
        draftReport({
          ...input,
          tariff,
          ...(tariff.faultPenalty !== undefined && { penalties: full.penalties as Penalties }),
          supply: { from: 1344, to: 1344 + periods.length },
          readings: periods.map(([reading, price]) => (price === undefined ? undefined : reading)),
          prices: periods.map(([, price]) => price),
        }),
      );
    fc.assert(
      fc.property(anyReport, (made) => {
        expect(validates(JSON.parse(canonicalJson(made))), JSON.stringify(validates.errors)).to.be.true;
        expect(parseReport(encodeReport(made))).to.deep.equal(made);
      }),
    );
  });

  it("needs each field, and the schema says the same", () => {
    const optional = [
      "tariff/currency",
      "columns/tierNano",
      "feedback/threshold",
      "penalties",
      "tariff/tiers",
      "tariff/adjustment",
      "tariff/faultPenalty",
    ];
    for (const path of pathsOf(report)) {
      const name = path.join("/");
      if (typeof path.at(-1) === "number" || optional.includes(name)) continue;
      const spoilt = copy();
      Reflect.deleteProperty(holder(spoilt, path), path.at(-1) as Step);
      expect(
        refusal(() => checkReport(spoilt)),
        name,
      ).not.to.equal("accepted");
      expect(validates(spoilt), name).to.be.false;
    }
  });

  it("knows no other field, and the schema says the same", () => {
    for (const path of [["x"], ...pathsOf(report).filter((at) => typeof at.at(-1) === "string")]) {
      const spoilt = copy();
      holder(spoilt, path).unknown = 1;
      expect(
        refusal(() => checkReport(spoilt)),
        path.join("/"),
      ).to.match(/unknown: unknown field$/);
      expect(validates(spoilt), path.join("/")).to.be.false;
    }
  });

  it("takes no other type and no float, and the schema says the same", () => {
    for (const path of pathsOf(report)) {
      for (const wrong of [true, 1.5, "", { a: 1 }, -1e15]) {
        const spoilt = copy();
        holder(spoilt, path)[path.at(-1) as Step] = wrong;
        // The one integer that may be as large as that.
        if (path.join("/") === "feedback/energyWh" && wrong === -1e15) continue;
        expect(
          refusal(() => checkReport(spoilt)),
          `${path.join("/")} = ${JSON.stringify(wrong)}`,
        ).not.to.equal("accepted");
        expect(validates(spoilt), `${path.join("/")} = ${JSON.stringify(wrong)}`).to.be.false;
      }
    }
  });

  it("must fail by name", () => {
    const bad: [object, string][] = [
      [{ schema: "veilgrid/bill" }, 'schema: not "veilgrid/bill-report"'],
      [{ version: 2 }, "version: not 1"],
      [{ consortium: toHex(consortium).toUpperCase() }, "consortium: not 32 bytes in lower-case hex"],
      [{ bid: "ab" }, "bid: not 16 bytes in lower-case hex"],
      [{ month: "2026-3" }, "month: not a month YYYY-MM from 1970 on"],
      [{ month: "1969-12" }, "month: not a month YYYY-MM from 1970 on"],
      [{ periodSeconds: 1000 }, "periodSeconds: neither 900 nor 1800"],
      [{ supply: { from: 1346, to: 1346 } }, "supply: empty"],
      [{ month: "2026-02" }, "supply/to: after the month's end"],
      [{ supply: { from: 1344, to: 1348 } }, "columns: not one entry for each period of the supply"],
      [{ columns: { ...report.columns, costNano: ["1", "01", "1"] } }, "columns/costNano/1: not an integer as a decimal string"],
      [{ columns: { ...report.columns, quality: [0, 1, 0] } }, "columns/priceMicro: null for another period than those without an epoch"],
      [{ columns: { ...report.columns, quality: [0, 4, 0] } }, "columns/quality/1: not in 0 to 3"],
      [{ columns: { ...report.columns, consumptionWh: [0, 0, 4294967296] } }, "columns/consumptionWh/2: not in -4294967295 to 4294967295"],
      [{ columns: draftReport(input).columns }, "columns/tierNano: not just with tiers"],
      [{ feedback: draftReport(input).feedback }, "feedback/threshold: not just with an adjustment"],
      [{ eliminated: [{ from: 1343, to: 1345 }] }, "eliminated: not ascending spans of the supply that lie apart"],
      [{ eliminated: [{ from: 1346, to: 1348 }] }, "eliminated: not ascending spans of the supply that lie apart"],
      [{ eliminated: [{ from: 1345, to: 1345 }] }, "eliminated: not ascending spans of the supply that lie apart"],
      [{ eliminated: [{ from: 1344, to: 1345 }, { from: 1345, to: 1346 }] }, "eliminated: not ascending spans of the supply that lie apart"],
      [{ eliminated: [{ from: 1346, to: 1347 }, { from: 1344, to: 1345 }] }, "eliminated: not ascending spans of the supply that lie apart"],
      [{ eliminated: [[1344, 1345]] }, "eliminated/0: not an object"],
      [{ tariff: without(report.tariff, "faultPenalty") }, "penalties: not just with a fault penalty"],
      [{ penalties: { ...report.penalties, k: [1346, 1346], caseId: ["ca".repeat(16), "cb".repeat(16)] } }, "penalties: not ascending periods of the supply, each with its case"],
      [{ penalties: { ...report.penalties, k: [1347] } }, "penalties: not ascending periods of the supply, each with its case"],
      [{ penalties: { ...report.penalties, k: [1343] } }, "penalties: not ascending periods of the supply, each with its case"],
      [{ penalties: { ...report.penalties, caseId: [] } }, "penalties: not ascending periods of the supply, each with its case"],
      [{ penalties: { ...report.penalties, caseId: ["CA".repeat(16)] } }, "penalties/caseId/0: not 16 bytes in lower-case hex"],
      [{ tariff: { ...report.tariff, fixed: [123456789] } }, "tariff: not the tariff's canonical form"],
      [{ tariff: { minorDigits: 2 } }, "tariff: not the tariff's canonical form"],
      [{ tariff: { ...report.tariff, taxes: [0.19] } }, "tariff/taxes/0: not a safe integer"],
      [{ tariff: { ...report.tariff, profile: Array.from({ length: 96 }, () => 1) } }, "tariff/profile: not one weight for each period of a day"],
      [{ tariff: without(report.tariff, "profile") }, "tariff/profile: not just with the missing rule profile"],
      [{ lines: [] }, "lines: fewer than 1 elements"],
      [{ lines: [{ name: "gift", nano: "0", shown: "0" }] }, "lines/0/name: not a line's name"],
      [{ total: 17 }, "total: not an integer as a decimal string"],
      [{ total: "-0" }, "total: not an integer as a decimal string"],
      [{ deltas: report.deltas.map((d) => ({ ...d, month: "2026-04" })) }, "deltas: of a later month"],
      [{ deltas: report.deltas.map((d) => ({ ...d, k: [7, 7] })) }, "deltas: columns of different length, or not ascending"],
      [{ deltas: report.deltas.map((d) => ({ ...d, k: [7] })) }, "deltas: columns of different length, or not ascending"],
      [{ deltas: [report.deltas[0], { ...report.deltas[0], month: "2026-01" }] }, "deltas: not oldest first"],
      [{ seedLeaves: [] }, "seedLeaves: fewer than 1 elements"],
      [{ seedLeaves: report.seedLeaves.slice(1) }, "seedLeaves: the first is not the supply's"],
      [{ seedLeaves: [report.seedLeaves[0], report.seedLeaves[0]] }, "seedLeaves: not ascending"],
      [{ seedLeaves: [report.seedLeaves[0], { ...report.seedLeaves[0], first: 1347 }] }, "seedLeaves: after the supply's end"],
    ]; // prettier-ignore
    for (const [change, why] of bad) {
      const spoilt = { ...report, ...change };
      expect(
        refusal(() => checkReport(spoilt)),
        why,
      ).to.equal(why);
      expect(
        refusal(() => encodeReport(spoilt)),
        why,
      ).to.equal(why);
      expect(
        refusal(() => parseReport(canonicalBytes(JSON.parse(JSON.stringify(spoilt))))),
        why,
      ).not.to.equal("accepted");
    }
    expect(refusal(() => checkReport(null))).to.equal("the whole: not an object");
  });

  it("is read in one encoding only", () => {
    const bytes = encodeReport(report);
    const text = new TextDecoder().decode(bytes);
    expect(refusal(() => parseReport(utf8(`${text} `)))).to.equal("not-canonical");
    expect(refusal(() => parseReport(utf8(JSON.stringify(JSON.parse(text), null, 1))))).to.equal("not-canonical");
    expect(refusal(() => parseReport(utf8(text.replace('"version":1', '"version":1.0'))))).to.equal("not-canonical");
    expect(refusal(() => parseReport(bytes.slice(1)))).to.equal("not-canonical");
  });

  it("fits into a bill for the longest months, with large values in every column", () => {
    const month = (periodSeconds: number, price: bigint): Uint8Array => {
      const count = (31 * 86_400) / periodSeconds;
      return encodeReport(
        draftReport({
          ...full,
          tariff: { ...full.tariff, profile: Array.from({ length: 86_400 / periodSeconds }, () => 1_000_000n) },
          periodSeconds,
          supply: { from: 0, to: count },
          eliminated: [],
          readings: Array.from({ length: count }, (_, i) => -200_000n + BigInt(i % 7)),
          prices: Array.from({ length: count }, () => price),
          // Three leaves with the paths of 1,000 meters: a month's start, a move and a new key.
          leaves: [0, 500, 1000].map((first) => ({
            ...leaf,
            first,
            path: { index: 999, count: 1000, hashes: Array.from({ length: 10 }, () => consortium) },
          })),
        }),
      );
    };
    // Nothing is measured, and every period is charged for.
    const charged = (periodSeconds: number): number => {
      const count = (31 * 86_400) / periodSeconds;
      const all = Array.from({ length: count }, (_, k) => k);
      const cases = all.map((k) => ({ k, id: new Uint8Array(16).fill(k % 256) }));
      return encodeReport(
        draftReport({
          ...full,
          tariff: { ...full.tariff, profile: Array.from({ length: 86_400 / periodSeconds }, () => 1_000_000n) },
          periodSeconds,
          supply: { from: 0, to: count },
          eliminated: [],
          readings: all.map(() => undefined),
          prices: all.map(() => -175_000_000n),
          penalties: { caseKey: consortium, cases },
          leaves: [{ ...leaf, first: 0 }],
        }),
      ).length;
    };
    expect(charged(1800)).to.be.below(plaintextBytes(131_072));
    expect(charged(900)).to.be.below(plaintextBytes(196_608));
    // 17.5 a kWh, the price cap of Australia's market, and ten times that.
    const halfHours = month(1800, -175_000_000n);
    const quarters = month(900, -17_500_000n);
    expect(halfHours.length).to.be.below(plaintextBytes(131_072));
    expect(quarters.length).to.be.below(plaintextBytes(196_608));
    expect(padReport(halfHours, 131_072).length).to.equal(130_856);
    expect(padReport(quarters, 196_608).length).to.equal(196_376);
    expect(refusal(() => padReport(quarters, 131_072))).to.equal("report-too-long");
  });
});
