import { writeFileSync } from "node:fs";
import { inFolder, typed } from "./command.js";

/** Wh of the home with this number in the nth of the four periods; undefined where its meter made no reading. */
function wattHours(home: number, n: number): number | undefined {
  if (home === 1) return [100, 200, undefined, 400][n];
  // Solar panels, as long as the sun shines.
  if (home === 2) return [-150, -50, 30, 60][n];
  return 100 * home + n;
}

const HOMES = Array.from({ length: 12 }, (_, i) => i + 1);

function kilowattHours(wh: number | undefined): string {
  return wh === undefined ? "" : (wh / 1000).toFixed(3);
}

/** Four half-hours of twelve homes in Zurich: the second exports, the first lacks one reading. */
function readings(): string {
  const names = HOMES.map((home) => `H${String(home).padStart(2, "0")}`);
  const times = ["18:00", "18:30", "19:00", "19:30"];
  const lines = times.map((time, n) =>
    [`2013-04-08 ${time}`, ...HOMES.map((home) => kilowattHours(wattHours(home, n)))].join(","),
  );
  return `${["reading_datetime", ...names].join(",")}\n${lines.join("\n")}\n`;
}

/** A tariff with something of everything. */
const TARIFF = {
  currency: "CHF",
  minorDigits: 2,
  tiers: [
    [300, "100000"],
    [null, "200000"],
  ],
  fixed: ["500000000"],
  taxes: [77000],
};

/** The arguments of the run that most tests read. */
export const PREPARED =
  "--readings homes.csv --timezone Europe/Zurich --tariff tariff.json --price csv:prices.csv --seed 7 --out run";

let made: Promise<string> | undefined;

/** Makes, once, a finished run in the folder `run` and its exported ledger in `run.vgl`; what the run printed. */
export function prepared(): Promise<string> {
  made ??= make();
  return made;
}

async function make(): Promise<string> {
  writeInputs();
  const printed = await typed(`demo ${PREPARED}`);
  await typed("ledger export run.vgl --out run");
  return printed;
}

/** The input files that a run is made from. */
export function writeInputs(): void {
  writeFileSync(inFolder("homes.csv"), readings());
  writeFileSync(inFolder("tariff.json"), JSON.stringify(TARIFF));
  const prices = ["16:00Z,250000", "16:30Z,300000", "17:00Z,-40000", "17:30Z,100000"];
  const lines = prices.map((line) => `2013-04-08T${line}\n`);
  writeFileSync(inFolder("prices.csv"), `period_start,price_micro_per_kwh\n${lines.join("")}`);
}
