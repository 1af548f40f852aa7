import { readFileSync, writeFileSync } from "node:fs";
import { decodeParamsLeaf, encodeParamsLeaf, fromHex, toHex } from "@veilgrid/protocol";
import { expect } from "chai";
import type { ParamsState } from "../../src/cli/params-text.js";
import { failing, inFolder, json, rows, typed } from "./command.js";

const HOMES = ["A", "B", "C", "D", "E", "F"];
const RUN = "--out versions";

/** Six homes for an hour. */
function writeHomes(): void {
  const lines = [22, 22.5].map((hour) => {
    const time = new Date(Date.UTC(2026, 2, 2) + hour * 3_600_000).toISOString().slice(0, 16);
    return [time, ...HOMES.map((_, i) => `0.${100 + i}`)].join(",");
  });
  writeFileSync(inFolder("hour.csv"), `${["reading_datetime", ...HOMES].join(",")}\n${lines.join("\n")}\n`);
}

function show(): Promise<ParamsState> {
  return json<ParamsState>(`params show ${RUN}`);
}

function keyOf({ members }: ParamsState, role: string): string | undefined {
  return members.find((member) => member.role === role)?.key;
}

/** The proposal without its proofs of possession. */
function strip(from: string, to: string): void {
  const { bytes } = decodeParamsLeaf(fromHex(readFileSync(inFolder(from), "utf8").trim()));
  writeFileSync(inFolder(to), toHex(encodeParamsLeaf(bytes, [])));
}

describe("veilgrid params", function () {
  this.timeout(120_000);

  before(async () => {
    writeHomes();
    await typed("setup --readings hour.csv --regions 1 --min-meters 5 --seed 5 --out versions");
    await typed(`epochs ${RUN}`);
  });

  it("refuses by a code, and changes nothing", async () => {
    const before = await show();
    expect([before.version, before.quorum]).to.deep.equal([1, 3]);
    expect((await failing(`params propose few.hex --remove-da 3 ${RUN}`)).error.code).to.equal("too-few-aggregators");
    expect((await failing(`params propose x.hex --rotate da ${RUN}`)).error.code).to.equal("bad-usage");
    const sets: readonly (readonly [string, string])[] = [
      ["periodSeconds=900", "bad-usage"],
      ["closeMonths=1 --set closeMonths=2", "bad-usage"],
      ["minReleaseMeters=4", "out-of-range"],
      ["closeMonths=2", "same-value"],
    ];
    for (const [set, code] of sets) {
      expect((await failing(`params propose x.hex --set ${set} ${RUN}`)).error.code, set).to.equal(code);
    }
    writeFileSync(inFolder("no.hex"), "no proposal");
    expect((await failing(`params approve no.hex ${RUN}`)).error.code).to.equal("bad-proposal");
    expect(await show()).to.deep.equal(before);
  });

  it("rotates keys when a quorum's operators approve, and not before, nor without possession", async () => {
    const before = await show();
    expect(await typed(`params propose next.hex --rotate da/1 --rotate cc --rotate kgcbp ${RUN}`)).to.equal(
      "next.hex: version 2, to be approved by the aggregators' operators (veilgrid params approve)\n",
    );
    strip("next.hex", "stripped.hex");
    const refused = await failing(`params approve stripped.hex ${RUN}`);
    expect([refused.code, refused.error.code]).to.deep.equal([2, "missing-possession"]);
    expect((await failing(`params approve next.hex --da 7 ${RUN}`)).error.code).to.equal("no-aggregator");
    const few = await json<ParamsState>(`params approve next.hex --da 0 --da 2 ${RUN}`);
    expect(few.version).to.equal(1);
    expect(few.aggregators.map(({ approved }) => approved)).to.deep.equal([2, null, 2, null]);
    const after = await json<ParamsState>(`params approve next.hex --da 3 ${RUN}`);
    expect(after.version).to.equal(2);
    const changed = before.members.map(({ role }) => [role, keyOf(before, role) !== keyOf(after, role)]);
    expect(changed).to.deep.equal([
      ["da/0", false],
      ["da/1", true],
      ["da/2", false],
      ["da/3", false],
      ["cc", true],
      ["kgcbp", true],
    ]);
  });

  it("adds an aggregator and sends one away, and the bills are right", async () => {
    await typed(`params propose joined.hex --add-da --set closeMonths=1 --set completeness=sum ${RUN}`);
    const joined = await json<ParamsState>(`params approve joined.hex ${RUN}`);
    expect([joined.version, joined.quorum, joined.members.length - 2]).to.deep.equal([3, 4, 5]);
    const { closeMonths, completeness, roundSeconds } = joined.values;
    expect([closeMonths, completeness, roundSeconds]).to.deep.equal([1, "sum", 10]);
    await typed(`params propose left.hex --remove-da 0 ${RUN}`);
    const shown = rows(await typed(`params approve left.hex ${RUN}`));
    expect(shown.map((row) => row.split(" | ").slice(0, 2).join(" "))).to.include.members([
      "da/1 DA1MSP",
      "da/4 DA4MSP",
      "0 no member",
      "4 member",
    ]);
    expect(await typed(`bill issue ${RUN}`)).to.contain("6 of 6 bills verified from the ledger");
    expect(await typed("audit versions")).to.contain("nothing is wrong");
    expect((await show()).aggregators.map(({ state }) => state)).to.deep.equal([
      "retired",
      "member",
      "member",
      "member",
      "member",
    ]);
  });
});
