import { Demo } from "./demo.js";
import { DAY, honestDay } from "./day.js";
import { seconds, type Report } from "./report.js";

/** Faults that a run bears without a word. */
const BORNE: readonly { readonly what: string; readonly faults: readonly string[]; readonly elections: number }[] = [
  { what: "one of four aggregators is down", faults: ["down:1@0"], elections: 1 },
  { what: "one is down for a while", faults: ["down:2@5-15"], elections: 1 },
  { what: "the leader is killed in the middle", faults: ["kill-leader@20"], elections: 2 },
  // Three of four leave one out, so whoever leads first has to be replaced, but for one chance in four.
  { what: "leaders leave a reading out", faults: ["omit:0", "omit:1", "omit:2"], elections: 2 },
];

function withFaults(faults: readonly string[]): string[] {
  return [...DAY, ...faults.flatMap((fault) => ["--fault", fault])];
}

/** A day with faults comes to the honest day's bills. */
export async function faults(report: Report): Promise<void> {
  const { demo: usual } = await honestDay(report);
  for (const { what, faults: list, elections } of BORNE) {
    report.note("with", `${what} (${list.join(", ")})`);
    const demo = new Demo(report, "faults", withFaults(list));
    await demo.finish();
    demo.checkSameAs(usual);
    const leaders = await demo.elections();
    report.check(`leaders were elected at least ${elections} times`, leaders >= elections, String(leaders));
  }
  await waiting(report, usual);
}

/** With two down it waits, says why, and goes on when they return. */
async function waiting(report: Report, usual: Demo): Promise<void> {
  report.note("with", "two of four down from period 10 on (down:0@10, down:1@10)");
  const demo = new Demo(report, "two-down", withFaults(["down:0@10", "down:1@10"]));
  const stopped = await demo.run();
  const reason = /^.*quorum-lost.*$/m.exec(stopped.stderr)?.[0] ?? stopped.stderr.slice(-300);
  report.check(
    "it waits with exit code 75 and says why",
    stopped.code === 75 && reason.includes("quorum-lost"),
    reason,
  );
  await demo.finish();
  demo.checkSameAs(usual);
}

/** Every combination of completeness and release comes to the same bills. */
export async function modes(report: Report): Promise<void> {
  const { demo: usual, ended } = await honestDay(report);
  report.note("set, after-commit", seconds(ended.seconds));
  for (const [completeness, release] of [
    ["set", "upfront"],
    ["sum", "after-commit"],
    ["sum", "upfront"],
  ] as const) {
    report.note("with", `${completeness}, ${release}`);
    const demo = new Demo(report, "mode", [...DAY, "--completeness", completeness, "--release", release]);
    await demo.finish();
    demo.checkSameAs(usual);
  }
}
