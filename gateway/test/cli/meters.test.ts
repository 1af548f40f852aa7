import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { failing, inFolder, json, rows, typed } from "./command.js";

const HOMES = Array.from({ length: 12 }, (_, i) => `S${String(i + 1).padStart(2, "0")}`);

/** Twelve homes, two hours before midnight and one after it; the nth consumes 100 + 10 n Wh and some more. */
function writeHomes(): void {
  const lines = Array.from({ length: 6 }, (_, n) => {
    const time = new Date(Date.UTC(2026, 2, 2, 22) + n * 1_800_000).toISOString().slice(0, 16);
    return [time, ...HOMES.map((_, i) => `0.${100 + 10 * i + n}`)].join(",");
  });
  writeFileSync(inFolder("changing.csv"), `${["reading_datetime", ...HOMES].join(",")}\n${lines.join("\n")}\n`);
}

const METER = "kgcbp meter";
const RUN = "--out changing";
const MIDNIGHT = "2026-03-03T00:00Z";

interface Change {
  readonly from: string;
  readonly again: boolean;
  readonly dryRun: boolean;
  readonly regions?: readonly number[];
  readonly until?: { readonly meanwhile: string };
}

interface Bills {
  readonly bills: readonly { readonly meter: string; readonly customer: string }[];
}

/** What is refused, and why. */
const REFUSED: readonly (readonly [string, string])[] = [
  ["remove Z", "unknown-meter"],
  ["remove S01 --from 2026-03-02T23:00Z", "period-sent"],
  ["remove S01 --from 2026-03-01T00:00Z", "too-early"],
  ["remove S01 --from 2026-03-03T01:00Z", "supply-ended"],
  ["move S01 --region 1", "same-region"],
  ["move S01 --region 3", "unknown-region"],
  ["replace S01 --device D --keep-key --compromised", "kept-and-compromised"],
  ["add S01 --region 1 --customer Smith --like S02", "supply-ended"],
  ["add N1 --region 1 --customer Smith --like Z", "unknown-meter"],
];

/** What is changed, and what the command says of it below its first line. */
const CHANGES: readonly (readonly [string, string])[] = [
  ["move S01 --region 2", "count as before"],
  ["sell S03 --customer Smith", "count as before"],
  ["replace S05 --device D5", "count as before"],
  ["rekey S07 --compromised", "count as missing, because the present keys must not be used any more"],
  ["remove S02", "count as before"],
  ["add N1 --region 2 --customer Jones --like S04", "are not supplied yet"],
];

function trimmed(text: string): string[] {
  return rows(text).map((row) => row.trimEnd());
}

describe("veilgrid kgcbp meter", function () {
  this.timeout(120_000);
  const list = (): Promise<string> => typed(`${METER} list ${RUN}`);

  before(async () => {
    writeHomes();
    await typed("setup --readings changing.csv --regions 2 --min-meters 5 --seed 5 --out changing");
    await typed(`epochs ${RUN}`);
  });

  it("refuses by a code, and changes nothing", async () => {
    const before = await list();
    expect(trimmed(before).slice(0, 3)).to.deep.equal([
      "meter | customer | region | from | to | change",
      "S01 | S01 | 1 | 2026-03-02T22:00Z | 2026-03-03T01:00Z |",
      "S02 | S02 | 2 | 2026-03-02T22:00Z | 2026-03-03T01:00Z |",
    ]);
    for (const [command, code] of REFUSED) {
      const refused = await failing(`${METER} ${command} ${RUN}`);
      expect([refused.code, refused.error.code], command).to.deep.equal([2, code]);
    }
    expect(await list()).to.equal(before);
  });

  it("shows first from when a change holds", async () => {
    const before = await list();
    const dry = await json<Change>(`${METER} move S01 --region 2 --dry-run ${RUN}`);
    expect(dry).to.deep.include({ from: MIDNIGHT, again: false, dryRun: true, regions: [1, 2] });
    expect(await typed(`${METER} move S01 --region 2 --dry-run ${RUN}`)).to.equal(
      `move S01: would hold from ${MIDNIGHT}\n` +
        "  sent already, region 1: 4 periods from 2026-03-02T22:00Z\n" +
        "  sent already, region 2: 4 periods from 2026-03-02T22:00Z\n" +
        "  until then periods from 2026-03-02T10:30Z on count as before\n",
    );
    expect(await list()).to.equal(before);
  });

  it("makes each change once, and says so when it is asked again", async () => {
    for (const [command, meanwhile] of CHANGES) {
      const [kind, meter] = command.split(" ") as [string, string];
      const said = await typed(`${METER} ${command} ${RUN}`);
      expect(said.split("\n")[0]).to.equal(`${kind} ${meter}: holds from ${MIDNIGHT}`);
      expect(said, command).to.contain(` on ${meanwhile}\n`);
    }
    expect(await typed(`${METER} sell S03 --customer Smith ${RUN}`)).to.equal(
      `sell S03: known already, holds from ${MIDNIGHT}\n`,
    );
    const again = await json<Change>(`${METER} rekey S07 --compromised ${RUN}`);
    expect(again).to.deep.include({ from: MIDNIGHT, again: true });
    const shown = trimmed(await list());
    expect(shown.filter((row) => /^(S01|S02|S03|N1) /.test(row))).to.deep.equal([
      `S01 | S01 | 1 | 2026-03-02T22:00Z | 2026-03-03T01:00Z |`,
      `S01 | S01 | 2 | ${MIDNIGHT} | 2026-03-03T01:00Z | move`,
      `S02 | S02 | 2 | 2026-03-02T22:00Z | ${MIDNIGHT} |`,
      `S03 | S03 | 1 | 2026-03-02T22:00Z | ${MIDNIGHT} |`,
      `S03 | Smith | 1 | ${MIDNIGHT} | 2026-03-03T01:00Z | sell`,
      `N1 | Jones | 2 | ${MIDNIGHT} | 2026-03-03T01:00Z | add`,
    ]);
  });

  it("says what becomes of an elimination", async () => {
    await typed(`kgcbp eliminate S08 ${RUN}`);
    await typed(`kgcbp eliminate S09 ${RUN}`);
    expect(await typed(`${METER} sell S08 --customer Lee ${RUN}`)).to.contain(
      "\n  the meter stays eliminated (veilgrid kgcbp reinstate lets it count again)\n",
    );
    expect(await typed(`${METER} rekey S09 ${RUN}`)).to.contain(
      "\n  the meter is eliminated until then, and counts again",
    );
  });

  it("leaves bills that are told by meter and customer, none for who never counted, and all of them right", async () => {
    await typed(`bill issue ${RUN}`);
    const { bills } = await json<Bills>(`bill list ${RUN}`);
    expect(bills.map(({ meter, customer }) => (meter === customer ? meter : `${meter} ${customer}`))).to.deep.equal([
      ...["S01", "S02", "S03", "S03 Smith", ...HOMES.slice(3), "N1 Jones"],
    ]);
    const several = await failing(`bill verify S03 ${RUN}`);
    expect([several.code, several.error.code]).to.deep.equal([2, "several-customers"]);
    expect((await failing(`bill verify S03 --customer Lee ${RUN}`)).error.code).to.equal("unknown-customer");
    expect(await typed(`bill verify S03 --customer Smith ${RUN}`)).to.contain("for S03 (Smith), 2026-03\n");
    const shown = await typed(`bill show N1 ${RUN}`);
    expect(shown).to.contain("Bill of N1 (Jones) for 2026-03\n");
    // The register of S04 in its last two periods: 134 and 135 Wh.
    expect(shown).to.contain("energy          0.269 kWh");
    expect(await typed(`bill explain S03 --customer S03 --period 92 ${RUN}`)).to.contain("S03, period 92");
    expect(await typed(`bill verify --all ${RUN}`)).to.contain("14 of 14 bills verified from the ledger");
  });
});
