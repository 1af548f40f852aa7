import { toHex, type LedgerView, type Params } from "@veilgrid/protocol";
import { isBilled, standing, strays, until } from "../src/services/living.js";
import { Site } from "../src/services/site.js";
import { count, type Report } from "./report.js";

const METERS = 10;
const PERIODS = 4;
/** A step of it; the whole run takes some minutes. */
const LONGEST_MS = 600_000;

async function inForce(view: LedgerView, version: number): Promise<Params> {
  await until(
    async () => (await view.currentParams()).version === version,
    LONGEST_MS,
    async () => `version ${(await view.currentParams()).version}`,
  );
  return view.currentParams();
}

/** A fifth aggregator joins services that run, by its operator's and the others' doors; then one of the four is lost. */
export async function joined(report: Report): Promise<void> {
  const site = await Site.make({ meters: METERS, periods: PERIODS, factor: 30 });
  try {
    await site.start((meter, n) => BigInt(100 + meter + n));
    const { name, msp, key } = await site.join();
    report.progress("all services know the newcomer");
    const { view, close } = await site.openLedger();
    const file = site.file("next.hex");
    const change = ["--add-da", `${msp}=${toHex(key)}`];
    const proposed = await site.operate<{ readonly unproven: readonly string[] }>(
      "da0",
      "params",
      "propose",
      file,
      ...change,
    );
    report.check(
      "a proposal waits for the newcomer's proof",
      proposed.unproven.length === 1,
      proposed.unproven.join(", "),
    );
    const proven = await site.operate<{ readonly unproven: readonly string[] }>(name, "params", "prove", file);
    report.check("which the newcomer gives by its own door", proven.unproven.length === 0, name);
    await Promise.all(["da0", "da1", "da3"].map((da) => site.operate(da, "params", "approve", file)));
    const { da } = await inForce(view, 2);
    report.check("the aggregators are five", da.length === 5, da.map((member) => member.msp).join(", "));
    // Four of five are a quorum now: without the first, nothing is priced or billed but by the newcomer's vote.
    await site.services.find((service) => service.name === "da0")?.kill();
    await until(
      () => isBilled(site, view),
      LONGEST_MS,
      () => standing(site, view),
    );
    report.check("with one of the four lost, every customer has its bill", true, count(METERS));
    const astray = await Promise.all(site.periods.map((period) => strays(site, view, period)));
    const receipted = site.periods.reduce((sum, period) => sum + site.receipted(period).length, 0);
    report.check("every receipted reading is on the ledger exactly once", astray.flat().length === 0, count(receipted));
    await close();
  } finally {
    const codes = await site.stop();
    const bad = Object.entries(codes).filter(([name, code]) => code !== 0 && name !== "da0");
    report.check(
      "every process stops when it is told to",
      bad.length === 0,
      bad.map(String).join(", ") || "exit code 0",
    );
  }
}
