import { expect } from "chai";
import { parseFault, parseFaults } from "../../src/input/faults.js";
import { expectRefusal } from "./files.js";

const FOUR = { das: 4, periods: 48 };

describe("faults to act out", () => {
  it("are read", () => {
    expect(parseFaults(["down:1@10", "down:3@0-47", "kill-leader@24", "omit:2"], FOUR)).to.deep.equal([
      { kind: "down", da: 1, from: 10, to: undefined },
      { kind: "down", da: 3, from: 0, to: 47 },
      { kind: "kill-leader", period: 24 },
      { kind: "omit", da: 2 },
    ]);
    expect(parseFault("kill-leader@99999", { das: 4 })).to.deep.equal({ kind: "kill-leader", period: 99_999 });
  });

  for (const [text, code] of [
    ["", "bad-fault"],
    ["down:1", "bad-fault"],
    ["down:@3", "bad-fault"],
    ["down:1@a", "bad-fault"],
    ["down:1@5-4", "bad-fault"],
    ["down:-1@5", "bad-fault"],
    ["kill-leader", "bad-fault"],
    ["omit:x", "bad-fault"],
    ["melt:1", "bad-fault"],
    ["down:4@0", "fault-da"],
    ["omit:4", "fault-da"],
    ["down:0@48", "fault-period"],
    ["kill-leader@48", "fault-period"],
  ] as const) {
    it(`"${text}" is refused (${code})`, () => expectRefusal(() => parseFault(text, FOUR), code, { fault: text }));
  }
});
