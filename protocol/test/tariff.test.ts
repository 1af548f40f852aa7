import { expect } from "chai";
import fc from "fast-check";
import {
  DEFAULT_TARIFF,
  canonicalJson,
  isVeilgridError,
  parseTariff,
  tariffJson,
  tierCost,
  type Tier,
} from "../src/index.js";
import { anyTariff, anyTiers } from "./billing.js";

/** A weight for each half-hour of a day. */
const DAY = Array.from({ length: 48 }, (_, i) => i);

const steps: Tier[] = [
  { upTo: 300n, price: 210000n },
  { upTo: 1000n, price: 260000n },
  { upTo: undefined, price: 340000n },
];

function refusal(json: unknown): string {
  try {
    parseTariff(json);
  } catch (error) {
    if (isVeilgridError(error, "bad-tariff")) return `${String(error.facts.path)}: ${String(error.facts.why)}`;
    throw error;
  }
  return "accepted";
}

describe("tariff", () => {
  it("has no charges by default and counts a missing period as 0 Wh", () => {
    expect(DEFAULT_TARIFF).to.deep.equal({ minorDigits: 2, fixed: [], taxes: [], missingRule: "zero" });
  });

  it("reads amounts as numbers and as decimal strings", () => {
    const tariff = parseTariff({
      minorDigits: 3,
      currency: "CHF",
      tiers: [
        [300, 210000],
        [null, "-340000"],
      ],
      fixed: [123456789, "9007199254740993"],
      taxes: [190000],
      adjustment: { thresholdWh: 400000, below: "-1000000000", above: 2000000000 },
      missingRule: "last-day",
    });
    expect(tariff).to.deep.equal({
      minorDigits: 3,
      currency: "CHF",
      tiers: [
        { upTo: 300n, price: 210000n },
        { upTo: undefined, price: -340000n },
      ],
      fixed: [123456789n, 9007199254740993n],
      taxes: [190000n],
      adjustment: { thresholdWh: 400000n, below: -1000000000n, above: 2000000000n },
      missingRule: "last-day",
    });
    expect(canonicalJson(tariffJson(tariff))).to.equal(
      '{"adjustment":{"above":"2000000000","below":"-1000000000","thresholdWh":400000},"currency":"CHF",' +
        '"fixed":["123456789","9007199254740993"],"minorDigits":3,"missingRule":"last-day","taxes":[190000],' +
        '"tiers":[[300,"210000"],[null,"-340000"]]}',
    );
  });

  it("has a daily profile with the missing rule of that name", () => {
    const tariff = parseTariff({ minorDigits: 2, missingRule: "profile", profile: DAY });
    expect(tariff.profile).to.deep.equal(DAY.map(BigInt));
    expect(tariffJson(tariff)).to.deep.include({ missingRule: "profile", profile: DAY });
    expect(parseTariff(tariffJson(tariff))).to.deep.equal(tariff);
  });

  it("comes back from its JSON", () => {
    fc.assert(
      fc.property(anyTariff, (tariff) => {
        const json: unknown = JSON.parse(canonicalJson(tariffJson(tariff)));
        expect(parseTariff(json)).to.deep.equal(tariff);
      }),
    );
  });

  it("refuses a bad one by naming the field", () => {
    const bad: [unknown, string][] = [
      [null, ": not an object"],
      [[], ": not an object"],
      [{}, "minorDigits: absent"],
      [{ minorDigits: 10 }, "minorDigits: not in 0 to 9"],
      [{ minorDigits: 2.5 }, "minorDigits: not a safe integer"],
      [{ minorDigits: 2, vat: 1 }, "vat: unknown field"],
      [{ minorDigits: 2, currency: "" }, "currency: not a currency code of 1 to 8 letters or digits"],
      [{ minorDigits: 2, fixed: 5 }, "fixed: not an array"],
      [{ minorDigits: 2, fixed: [0, "1.5"] }, "fixed/1: not an integer as a decimal string"],
      [{ minorDigits: 2, fixed: [0.5] }, "fixed/0: not a safe integer"],
      [{ minorDigits: 2, fixed: ["-0"] }, "fixed/0: not an integer as a decimal string"],
      [{ minorDigits: 2, fixed: [2 ** 53] }, "fixed/0: not a safe integer"],
      [{ minorDigits: 2, taxes: [-1] }, "taxes/0: not in 0 to 9007199254740991"],
      [{ minorDigits: 2, tiers: [] }, "tiers: fewer than 1 elements"],
      [{ minorDigits: 2, tiers: [[300, 1]] }, "tiers: not just the last tier is open"],
      [{ minorDigits: 2, tiers: [[null, 1], [300, 1]] }, "tiers: not just the last tier is open"], // prettier-ignore
      [{ minorDigits: 2, tiers: [[300, 1], [300, 1], [null, 1]] }, "tiers: tiers do not ascend"], // prettier-ignore
      [{ minorDigits: 2, tiers: [[0, 1], [null, 1]] }, "tiers/0/0: not in 1 to 9007199254740991"], // prettier-ignore
      [{ minorDigits: 2, tiers: [[null]] }, "tiers/0: not a pair"],
      [{ minorDigits: 2, tiers: [[null, "x"]] }, "tiers/0/1: not an integer as a decimal string"],
      [{ minorDigits: 2, adjustment: { thresholdWh: 1, below: 0 } }, "adjustment/above: absent"],
      [{ minorDigits: 2, missingRule: "mean" }, "missingRule: not one of zero, last-day, profile"],
      [{ minorDigits: 2, missingRule: "profile" }, "profile: not just with the missing rule profile"],
      [{ minorDigits: 2, profile: DAY }, "profile: not just with the missing rule profile"],
      [
        { minorDigits: 2, missingRule: "profile", profile: DAY.slice(1) },
        "profile: not one weight for each period of a day: 48 or 96",
      ],
      [{ minorDigits: 2, missingRule: "profile", profile: [...DAY.slice(1), -1] }, "profile/47: not in 0 to 1000000"],
    ];
    for (const [json, why] of bad) expect(refusal(json), JSON.stringify(json)).to.equal(why);
  });
});

describe("block tariff", () => {
  it("costs what its steps say", () => {
    const at = [-750n, -1n, 0n, 1n, 300n, 301n, 500n, 1000n, 50012n];
    expect(at.map((wh) => tierCost(steps, wh))).to.deep.equal([
      -157500000n,
      -210000n,
      0n,
      210000n,
      63000000n,
      63260000n,
      115000000n,
      245000000n,
      16909080000n,
    ]);
  });

  it("is linear with one step, and goes on with the first below zero", () => {
    fc.assert(
      fc.property(anyTiers, fc.bigInt({ min: 0n, max: 10n ** 9n }), (tiers, wh) => {
        expect(tierCost(tiers, -wh)).to.equal(-wh * (tiers[0] as Tier).price);
        expect(tierCost([{ upTo: undefined, price: 7n }], wh)).to.equal(7n * wh);
      }),
    );
  });

  it("adds, Wh by Wh, the price of the step that the Wh lies in", () => {
    fc.assert(
      fc.property(anyTiers, fc.bigInt({ min: -1000n, max: 200_000n }), (tiers, wh) => {
        const step = tiers.find(({ upTo }) => upTo === undefined || wh < upTo) as Tier;
        expect(tierCost(tiers, wh + 1n) - tierCost(tiers, wh)).to.equal(step.price);
      }),
    );
  });
});
