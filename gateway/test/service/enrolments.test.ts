import { expect } from "chai";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readEnrolments } from "../../src/service/enrolments.js";
import { problemIn, scratch } from "../support/scratch.js";

const GOOD = {
  meter: "A1",
  bid: "0b".repeat(16),
  region: 1,
  recipient: "age1customer",
  from: "2026-03-31T23:30:00Z",
  monthKey: "0c".repeat(32),
};

describe("the file of supplies that KGCBP begins with", () => {
  const folder = scratch();

  async function read(content: unknown, mode = 0o600): Promise<unknown> {
    const path = join(folder.path, "enrolments.json");
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    await chmod(path, mode);
    return readEnrolments(path, 1800);
  }

  it("has them with their periods and keys", async () => {
    const month = 12 * 2026 + 2;
    expect(await read([{ ...GOOD, to: "2026-04-01T00:00:00Z" }])).to.deep.equal([
      {
        enrolment: {
          meter: "A1",
          bid: new Uint8Array(16).fill(0x0b),
          region: 1,
          recipient: "age1customer",
          device: undefined,
          from: { month, k: 1487 },
          to: { month: month + 1, k: 0 },
        },
        monthKey: new Uint8Array(32).fill(0x0c),
      },
    ]);
  });

  it("may be gone when they were taken in", async () => {
    expect(await readEnrolments(join(folder.path, "none.json"), 1800)).to.deep.equal([]);
  });

  const BAD: readonly (readonly [string, unknown, string])[] = [
    ["no JSON", "{", "it is no JSON"],
    ["a key that is short", [{ ...GOOD, monthKey: "0c" }], "0.monthKey: invalid_format"],
    ["another key", [{ ...GOOD, name: "x" }], "0: unrecognized_keys"],
    [
      "a time within a period",
      [{ ...GOOD, from: "2026-03-31T23:45:00Z" }],
      '"2026-03-31T23:45:00Z" is no time at which a period begins',
    ],
  ];
  for (const [what, content, why] of BAD) {
    it(`is refused for ${what}, without a word of what is in it`, async () => {
      const error = await problemIn(read(content));
      expect([error.code, error.message]).to.deep.equal([
        "bad-enrolments",
        `${join(folder.path, "enrolments.json")}: ${why}`,
      ]);
    });
  }

  it("is refused where others may open it", async () => {
    expect((await problemIn(read([GOOD], 0o644))).code).to.equal("bad-secret-file");
  });
});
