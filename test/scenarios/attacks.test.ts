import { expect } from "chai";
import { KIND, toHex, window } from "@veilgrid/protocol";
import { decodeBundleAck } from "@veilgrid/gateway";
import { Attack, type Attempts } from "../src/world/attack.js";
import { expectedOf } from "../src/world/expected.js";
import { honestRun, SMALL, SMALL_TERMS } from "../src/world/honest.js";
import { beginRun, finish, type Finished } from "../src/world/small-run.js";
import type { Asked, Heard } from "../src/world/stranger.js";
import { columns } from "../src/world/tables.js";

describe("a run under attack", () => {
  let run: Finished;
  let honest: Finished;
  const heard: Attempts = {};
  const malformed: Record<string, Asked[]> = {};
  const ledgerCalls: Record<string, string> = {};

  before(async () => {
    honest = await honestRun();
    const begun = await beginRun(SMALL);
    run = await finish(begun, {
      watch: async (world) => {
        const attack = await Attack.on(begun, world);
        const { opens, closes, freezes } = window(attack.period, await world.view.currentParams());
        const { stranger } = attack;
        stranger.at(opens - 60_000, () => {
          attack.early(heard);
        });
        stranger.at(closes - 10_000, () => {
          attack.readings(heard);
        });
        stranger.at(closes - 9_000, () => {
          attack.bundles(heard);
        });
        stranger.at(closes + 1000, () => {
          attack.late("late", heard);
        });
        stranger.at(freezes + 1000, () => {
          attack.late("late to a frozen period", heard);
        });
        stranger.at(freezes + 120_000, () => {
          attack.nonsense(malformed);
        });
        stranger.at(freezes + 121_000, () => attack.forgeries(heard));
        stranger.at(freezes + 122_000, () => attack.ledger(ledgerCalls));
      },
    });
  });

  const expected: Record<string, Heard> = {
    "before its window": "window-early",
    "with a forged signature": "bad-signature",
    "under another period's PRID": "unknown-prid",
    "under another region's PRID": "unknown-prid",
    "under a key of nobody": "unknown-prid",
    "of another consortium": "bad-signature",
    "of a region without an epoch": "no-epoch",
    "a duplicate": "accepted",
    "a changed duplicate": "other-reading",
    late: "window-late",
    "late to a frozen period": "window-late",
    "a batch of forgeries": "bad-signature",
    "a mask release that KGCBP did not sign": "bad-block",
    "a second mask release with another Z": "bad-block",
    "a timeout that nobody signed": "bad-signature",
    "a candidate who is no aggregator": "bad-signature",
    "a proposal of somebody who does not lead": "unknown-leader",
  };

  for (const [name, answer] of Object.entries(expected)) {
    it(`answers ${answer} to ${name}`, () => {
      expect(heard[name]?.heard).to.equal(answer);
    });
  }

  it("acks of a hostile aggregator's batch only what is good", () => {
    const { accepted } = decodeBundleAck((heard["a batch with one good reading"] as Asked).accepted, 3);
    expect(accepted.filter((good) => good)).to.have.length(1);
  });

  it("answers malformed to nonsense of every kind", () => {
    for (const [method, all] of Object.entries(malformed)) {
      expect(
        all.map((asked) => asked.heard),
        method,
      ).to.deep.equal(all.map(() => "malformed"));
    }
    expect(Object.keys(malformed)).to.have.length(8);
  });

  it("lets only aggregators' organisations write, and only members' read", () => {
    expect(ledgerCalls).to.deep.equal({
      "a committed block again, by a stranger": "wrong-organisation",
      "a committed block again, by the control center": "wrong-organisation",
      "a committed block again, by an aggregator": "already-committed",
      "a committed certificate again, by an aggregator": "stale-term",
      "set-up again, by an aggregator": "already-set-up",
      "a query by a stranger": "wrong-organisation",
      "a query by the control center": "accepted",
    });
  });

  it("comes to the honest run's blocks, sums and bills: nothing was changed", () => {
    const contents = ({ headers }: Finished): unknown[] =>
      headers
        .filter(({ kind }) => kind === KIND.readings)
        .map(({ region, number, count, root, aggFault }) => [region, number, count, toHex(root), aggFault].join(" "))
        .sort();
    expect(contents(run)).to.deep.equal(contents(honest));
    expect(run.periodsText).to.equal(honest.periodsText);
    expect(run.billsText).to.equal(honest.billsText);
    expect(run.audit.findings).to.deep.equal([]);
    expect(run.audit.elections).to.equal(1);
  });
});

describe("a meter that says two things at once", () => {
  it("is excluded from the sum and missing on its own bill, and nobody else is disturbed", async () => {
    const begun = await beginRun(SMALL);
    const heard: Attempts = {};
    const seen: { leaves: number; excluded: number }[] = [];
    const run = await finish(begun, {
      watch: async (world) => {
        const attack = await Attack.on(begun, world);
        const { opens, freezes } = window(attack.period, await world.view.currentParams());
        attack.stranger.at(opens, () => {
          attack.twice(heard);
        });
        attack.stranger.at(freezes + 120_000, async () => {
          seen.push(await attack.onLedger());
        });
      },
    });
    // Both values are in the block: either may have been acked. The meter's own word came too late for that PRID.
    expect(seen).to.deep.equal([{ leaves: 13, excluded: 2 }]);
    const csv = SMALL.with((text, household, n) => (household === 2 && n === 3 ? "" : text));
    const expected = expectedOf(csv, SMALL_TERMS);
    expect(columns(run.periods, Object.keys(expected.periods[0] ?? {}))).to.deep.equal(expected.periods);
    expect(columns(run.bills, Object.keys(expected.bills[0] ?? {}))).to.deep.equal(expected.bills);
    expect(run.bills[2]).to.include({ missing: "1", verified: "true" });
    expect(run.headers.filter(({ aggFault }) => aggFault)).to.deep.equal([]);
    expect(run.audit.findings).to.deep.equal([]);
  });
});
