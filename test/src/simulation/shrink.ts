import { CALM, scenarioOf, type Scenario, type Setting } from "./scenario.js";
import { simulate, type Outcome, type SimulateOptions } from "./simulate.js";

/** In the order in which they are tried: what makes a run simplest first. */
const ORDER: readonly Setting[] = [
  "embedded",
  "billed",
  "successor",
  "hostile",
  "partitions",
  "kills",
  "faulty",
  "unheard",
  "skewMs",
  "loss",
  "twice",
  "deaths",
  "midnight",
  "periods",
  "regions",
  "meters",
  "das",
  "lagMs",
  "submitMs",
  "delayMs",
  "writeMs",
];

/** Values of a setting that are simpler than the present one, the simplest first. */
function simpler(name: Setting, value: number): number[] {
  const calm = CALM[name];
  if (value === calm) return [];
  const middle = Math.floor((value + calm) / 2);
  return middle === calm || middle === value ? [calm] : [calm, middle];
}

function isValid({ meters, regions, das, hostile }: Scenario): boolean {
  return meters >= 6 * regions && hostile <= Math.floor((das - 1) / 3);
}

/**
 * A simpler scenario of the same seed that violates the first invariant of a failed run too: setting after setting is made
 * calm, or half as bad, as long as it still fails.
 */
export async function shrink(failed: Outcome, options: SimulateOptions = {}): Promise<Outcome> {
  const invariant = failed.violations[0]?.invariant;
  let smallest = failed;
  for (let changed = true; changed;) {
    changed = false;
    for (const name of ORDER) {
      const better = await simplify(smallest, name, { invariant, options });
      if (better === undefined) continue;
      smallest = better;
      changed = true;
    }
  }
  return smallest;
}

async function simplify(
  outcome: Outcome,
  name: Setting,
  { invariant, options }: { readonly invariant: string | undefined; readonly options: SimulateOptions },
): Promise<Outcome | undefined> {
  for (const value of simpler(name, outcome.scenario[name])) {
    const scenario = { ...outcome.scenario, [name]: value };
    if (!isValid(scenario)) continue;
    const tried = await simulate(scenario, options);
    if (tried.violations.some((violation) => violation.invariant === invariant)) return tried;
  }
  return undefined;
}

/** The settings in which a scenario is not its seed's own. */
export function settingsOf(scenario: Scenario): Partial<Record<Setting, number>> {
  const own = scenarioOf(scenario.seed);
  const names = (Object.keys(CALM) as Setting[]).filter((name) => scenario[name] !== own[name]);
  return Object.fromEntries(names.map((name) => [name, scenario[name]]));
}

/** The command that repeats a run. */
export function command({ scenario }: Outcome): string {
  const settings = Object.entries(settingsOf(scenario)).map(([name, value]) => `${name}=${value}`);
  const set = settings.length === 0 ? "" : ` --set ${settings.join(",")}`;
  return `npm run simulate -- --seed ${scenario.seed}${set}`;
}
