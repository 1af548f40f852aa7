import { VeilgridError } from "@veilgrid/protocol";
import { Option, type Command } from "commander";
import { importPrices, priceCsv, type PriceImport, type PriceSource } from "../input/priceimport.js";
import { writeWhole } from "../store/files.js";
import { examples, jsonOption } from "./options.js";
import { counted, line, printJson, utcMinute } from "./output.js";

interface ImportOptions {
  readonly from: PriceSource;
  readonly timezone?: string;
  readonly out?: string;
  readonly json?: boolean;
}

const NOTES = `A price that is no whole micro-unit is rounded to the nearest one, halves away from zero. A row for a time that
no clock showed is passed over; one row for an hour that was had twice stands for both.`;

/** `veilgrid price import`: a published list of prices as a price file. */
export function addPriceImport(parent: Command): void {
  parent
    .command("import")
    .description("convert a published list of half-hourly prices for --price csv:FILE")
    .argument("<file>", "CSV of AEMO (AUD/MWh) or Low Carbon London (pence/kWh)")
    .addOption(new Option("--from <source>", "whose list it is").choices(["aemo", "lcl"]).makeOptionMandatory())
    .option("--timezone <zone>", "IANA time zone of the list's times (default: the source's own)")
    .option("--out <file>", "write the prices to a file (default: to stdout)")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid price import --from aemo data/aemo/aemo_vic1_2024-06_halfhourly.csv --out prices.csv",
          "veilgrid price import --from lcl data/lcl/lcl_dtou_tariff_2013.csv > prices.csv",
        ],
        NOTES,
      ),
    )
    .action((file: string, options: ImportOptions) => importFile(file, options));
}

async function importFile(file: string, { from, timezone, out, json = false }: ImportOptions): Promise<void> {
  if (json && out === undefined) {
    throw new VeilgridError("bad-option", "--json says what was imported: the prices need --out FILE", {
      blame: "caller",
    });
  }
  const prices = await importPrices(from, file, timezone);
  const csv = priceCsv(prices.rows);
  if (out === undefined) process.stdout.write(csv);
  else await writeWhole(out, csv);
  const [first, last] = [prices.rows[0], prices.rows.at(-1)] as [
    PriceImport["rows"][number],
    PriceImport["rows"][number],
  ];
  const { rows, ...facts } = prices;
  const span = { first: utcMinute(first.start), last: utcMinute(last.start) };
  if (json) printJson({ file: out, prices: rows.length, ...span, ...facts });
  else if (out === undefined) process.stderr.write(`${sentence(prices, span)}\n`);
  else line(`${out}: ${sentence(prices, span)}`);
}

function sentence(prices: PriceImport, { first, last }: { readonly first: string; readonly last: string }): string {
  return (
    `${counted(prices.rows.length, "price")} in ${prices.currency} per kWh, ${first} to ${last}; ` +
    `${prices.rounded} rounded, ${counted(prices.identicalRepeats, "identical repeat")}, ` +
    `${prices.nonexistent} passed over (a time that no clock showed), ${prices.doubled} for an hour had twice`
  );
}
