import { parseArgs } from "node:util";
import { CALM, scenarioOf, withSettings, type Scenario, type Setting } from "./scenario.js";
import { Series } from "./series.js";
import { simulate, type Outcome } from "./simulate.js";

const USAGE = `npm run simulate -- [--seeds N] [--from SEED] [--set NAME=VALUE,...] [--json]
npm run simulate -- --seed N [--set NAME=VALUE,...] [--trace] [--json]

Runs the real roles of a consortium on virtual time, with everything going wrong that the seed says, and holds each run to
the invariants of docs/PROTOCOL.md, section 5. A run that fails is made smaller, and printed as the command that repeats it.
Exit code 1 if any fails.

  --seeds N     how many seeds (default 100)
  --from SEED   the first (default 1)
  --seed N      this one alone
  --trace       every moment of it, and what the roles log
  --set …       settings instead of the seed's own: ${Object.keys(CALM).join(", ")}
  --json        one JSON object a run, and one for all

Example: npm run simulate -- --seeds 20 --from 1000
`;

function settingsOf(text = ""): Partial<Record<Setting, number>> {
  const pairs = text.split(",").filter((part) => part !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = "", value = ""] = pair.split("=");
      if (!/^\d+$/.test(value)) throw new RangeError(`--set takes NAME=NUMBER, not ${pair}`);
      return [name, Number(value)];
    }),
  );
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new RangeError(`--${name} takes a whole number, not ${text}`);
  return Number(text);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One seed, told in full. */
async function replay(
  scenario: Scenario,
  options: { readonly trace: boolean; readonly json: boolean },
): Promise<Outcome> {
  const outcome = await simulate(scenario, options.trace ? { trace: print } : {});
  if (options.json) {
    print(JSON.stringify(outcome));
    return outcome;
  }
  const { violations, steps, blocks, receipts, settledMs, digest } = outcome;
  print(`seed ${scenario.seed}: ${steps} moments, ${blocks} ledger blocks, ${receipts} receipts, trace ${digest}`);
  print(settledMs === undefined ? "never done" : `done ${settledMs / 1000} s after the calm`);
  for (const { invariant, what, at } of violations)
    print(`violated at ${(at / 1000).toFixed(3)} s: ${invariant}: ${what}`);
  return outcome;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "100" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      set: { type: "string" },
      trace: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const settings = settingsOf(values.set);
  if (values.seed !== undefined) {
    const outcome = await replay(withSettings(scenarioOf(wholeNumber("seed", values.seed)), settings), values);
    if (outcome.violations.length > 0) process.exitCode = 1;
    return;
  }
  const series = new Series({ settings, json: values.json }, { out: process.stdout });
  const failed = await series.run(wholeNumber("from", values.from), wholeNumber("seeds", values.seeds));
  if (failed > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
