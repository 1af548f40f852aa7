import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { node } from "../src/world/demo-process.js";
import { scratchFolder } from "../src/world/scratch.js";
import type { Report } from "./report.js";

/** What must be refused, and which tests' titles show it. */
const BAD_INPUT: readonly (readonly [what: string, title: RegExp])[] = [
  ["a forged signature", /forged signature/],
  ["another period's PRID", /another period's PRID/],
  ["a duplicate", /\ba duplicate$|is sent again/],
  ["a changed duplicate", /a changed duplicate|conflicts with another verified/],
  ["a late reading", /window-late to late|refused at its end, to the millisecond/],
  ["a malformed message of each kind", /malformed/],
  ["a block with one vote short", /block.* with one vote short/],
  ["a block with votes for another block", /with votes for another block/],
  ["a block of an older term", /of an older term/],
  ["a block of another consortium", /block .*of another consortium/],
  ["a block with the same DA twice", /block .*with the same aggregator twice/],
  ["a block formed by a non-leader", /formed by a non-leader/],
  ["a block out of order", /out of order/],
  ["a block with a wrong Merkle root", /wrong Merkle root/],
  ["a block with the wrong aggFault bit", /wrong aggFault bit/],
  ["a second mask release", /refused if it is the second|second mask release/],
  ["a release for too few meters", /mask release .*for too few meters/],
  ["a price whose consumption is not the sum", /whose consumption is not the sum/],
  ["a caller of the wrong organisation", /not for strangers|is for an aggregator's organisation|lets only aggregators/],
  ["an epoch that changes what was sent", /an epoch that changes (a period already sent|one that was sent)/],
  ["a correction in after-commit", /a correction in after-commit/],
  ["a change dated into a sent epoch", /a change dated into a sent epoch/],
  ["a params block without possession", /a params block without possession|refused without a new key's proof/],
  ["a params block with too few votes", /a params block with too few votes of the old set/],
  ["a verdict for a block without aggFault", /a verdict for a block without aggFault/],
  ["a CSV with text where a number belongs", /text where a number belongs/],
];

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FILES = [
  ...["readings", "voter", "forwarding", "leader", "transactions"].map(
    (name) => `gateway/dist/test/da/${name}.test.js`,
  ),
  "gateway/dist/test/input/badreadings.test.js",
  "protocol/dist/test/messages/must-fail.test.js",
  "test/dist/scenarios/ledger/*.test.js",
  "test/dist/scenarios/chaincode/*.test.js",
  "test/dist/scenarios/attacks.test.js",
  "test/dist/scenarios/refused.test.js",
];

interface Outcome {
  readonly tests: readonly { readonly fullTitle: string }[];
  readonly passes: readonly { readonly fullTitle: string }[];
}

/** Runs the tests of refusals, and says for each kind of bad input which of them show it. */
export async function refusals(report: Report): Promise<void> {
  const mocha = join(dirname(createRequire(import.meta.url).resolve("mocha/package.json")), "bin", "mocha.js");
  const output = join(scratchFolder("refusals"), "outcome.json");
  const reporter = ["--reporter", "json", "--reporter-option", `output=${output}`];
  const files = FILES.map((file) => join(ROOT, file));
  const { code } = await node([mocha, "--no-config", "--timeout", "60000", ...reporter, ...files]);
  const { tests, passes } = JSON.parse(readFileSync(output, "utf8")) as Outcome;
  report.check("the tests of refusals pass", code === 0 && tests.length > 0, `${passes.length} of ${tests.length}`);
  for (const [what, title] of BAD_INPUT) {
    const [all, good] = [tests, passes].map((list) => list.filter(({ fullTitle }) => title.test(fullTitle)).length) as [
      number,
      number,
    ];
    report.check(
      `${what} is refused with its code, and nothing changes`,
      good === all && all > 0,
      `${good} of ${all} tests`,
    );
  }
}
