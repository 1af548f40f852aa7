import { setTimeout as pause } from "node:timers/promises";
import { SeededRandom } from "@veilgrid/gateway";
import { isBilled, leavesOf, standing, strays, until } from "../src/services/living.js";
import { Site } from "../src/services/site.js";
import { count, type Report } from "./report.js";

const METERS = 12;
const PERIODS = 6;
/** Each process, the ledger's service too, is killed so often, and stays away for up to so many milliseconds. */
const DEATHS = 3;
const AWAY_MS = 4_000;
/** The whole run: at factor 60, six quarters of an hour and what comes before and after take 150 s. */
const LONGEST_MS = 900_000;

/** Real processes, each killed (-9) at random moments. */
export async function services(report: Report): Promise<void> {
  const site = await Site.make({ meters: METERS, periods: PERIODS, factor: 60 });
  const random = SeededRandom.of("deaths of services");
  try {
    await site.start((meter, n) => BigInt(100 + meter + n));
    const ledger = await site.openLedger();
    const spanMs = site.realMs(PERIODS * 900_000 + 15 * 60_000);
    await Promise.all(
      site.services.map(async (service) => {
        let last = 0;
        const moments = Array.from({ length: DEATHS }, (_, i) => random.below(spanMs, service.name, i));
        for (const [i, moment] of moments.sort((a, b) => a - b).entries()) {
          await pause(Math.max(0, moment - last));
          last = moment;
          await service.kill();
          await pause(random.below(AWAY_MS, service.name, "away", i));
          service.start();
        }
      }),
    );
    const deaths = DEATHS * site.services.length;
    report.check("processes were killed (-9)", deaths === 24, `${deaths} times`);
    await until(
      () => isBilled(site, ledger.view),
      LONGEST_MS,
      () => standing(site, ledger.view),
    );
    let receipted = 0;
    const astray: string[] = [];
    const unpriced: number[] = [];
    for (const period of site.periods) {
      receipted += site.receipted(period).length;
      astray.push(...(await strays(site, ledger.view, period)));
      const leaves = await leavesOf(ledger.view, period);
      const price = await ledger.view.price(1, period);
      if (leaves === undefined || price === undefined) unpriced.push(period.k);
    }
    report.check("every receipted reading is on the ledger exactly once", astray.length === 0, count(receipted));
    report.check("every period has its block and its price", unpriced.length === 0, `${PERIODS} periods`);
    report.check("every customer has its bill", true, count(METERS));
    process.stdout.write(`${await standing(site, ledger.view)}\n`);
    await ledger.close();
  } finally {
    const codes = await site.stop();
    const bad = Object.entries(codes).filter(([, code]) => code !== 0);
    report.check(
      "every process stops when it is told to",
      bad.length === 0,
      bad.map(String).join(", ") || "exit code 0",
    );
  }
}
