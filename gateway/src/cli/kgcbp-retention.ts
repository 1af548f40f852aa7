import { monthName } from "@veilgrid/protocol";
import type { Command } from "commander";
import type { KeptMonth } from "../kgcbp/retention.js";
import { addDeskOptions, ON_A_SERVICE, withDesk, type DeskOptions } from "./kgcbp-desk.js";
import { ON_FABRIC } from "./ledger-options.js";
import { examples, month as monthArgument } from "./options.js";
import { counted, line, printJson, printTable, utcMinute } from "./output.js";

interface EraseOptions extends DeskOptions {
  readonly early?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const RETENTION_NOTES = `A month is billed when every region has closed it, closed on the ledger closeMonths later (its leaves leave the
peers' state), and erased retentionMonths later; KGCBP does both by itself. The ledger still audits, and bills verify.`;

const ERASE_NOTES = `Erases the month and all before it: their keys lead to its own. Their wrapping keys are deleted from the vault, and so
nothing opens them any more in any backup; settlements, cases and findings go with them. It cannot be undone. The month
and the one after it must be billed, and every case of it must have its verdict. What was settled from logs and is on no
bill yet would be lost: --force says that it may. Copies of the vault are not reached.`;

/** `veilgrid kgcbp retention` and `veilgrid kgcbp erase`. */
export function addKgcbpRetention(parent: Command): void {
  addDeskOptions(parent.command("retention"))
    .description("list the months that KGCBP has keys of, and when each is closed and erased")
    .addHelpText(
      "after",
      examples(
        ["veilgrid kgcbp retention --out my-run --json", "veilgrid kgcbp retention --config kgcbp.yaml"],
        `${RETENTION_NOTES}\n\n${ON_A_SERVICE}\n\n${ON_FABRIC}`,
      ),
    )
    .action((options: DeskOptions) => list(options));
  addDeskOptions(parent.command("erase").argument("<month>", "YYYY-MM", (text) => monthArgument(text)))
    .description("erase a month's keys, and all before, in every backup too")
    .option("--early", "before retentionMonths have passed")
    .option("--force", "although settled periods are on no bill yet")
    .option("--dry-run", "say which months it would be, and change nothing")
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid kgcbp erase 2013-04 --dry-run --out my-run",
          "veilgrid kgcbp erase 2013-04 --early --config kgcbp.yaml",
        ],
        `${ERASE_NOTES}\n\n${ON_A_SERVICE}\n\n${ON_FABRIC}`,
      ),
    )
    .action((month: number, options: EraseOptions) => erase(month, options));
}

async function list(options: DeskOptions): Promise<void> {
  await withDesk(options, async ({ kgcbp }) => {
    const months = await kgcbp.months();
    if (options.json === true) printJson({ months: months.map(monthJson) });
    else print(months);
  });
}

function monthJson({ month, billed, closed, regions, closesAt, erasesAt, erased }: KeptMonth): object {
  const times = { closesAt: utcMinute(closesAt), erasesAt: utcMinute(erasesAt) };
  return { month: monthName(month), billed, closedRegions: closed, regions, ...times, erased };
}

function print(months: readonly KeptMonth[]): void {
  if (months.length === 0) {
    line("no month yet: no epoch is on the ledger");
    return;
  }
  printTable(
    ["month", "state", "closes", "erased"],
    months.map((one) => [
      monthName(one.month),
      stateOf(one),
      utcMinute(one.closesAt),
      one.erased ? "yes" : `from ${utcMinute(one.erasesAt)}`,
    ]),
    [],
  );
}

function stateOf({ billed, closed, regions }: KeptMonth): string {
  if (!billed) return "not billed";
  if (closed === 0 || regions === 0) return "billed";
  return closed === regions ? "closed" : `closed in ${closed} of ${counted(regions, "region")}`;
}

async function erase(
  month: number,
  { early = false, force = false, dryRun = false, ...options }: EraseOptions,
): Promise<void> {
  await withDesk(options, async ({ kgcbp }) => {
    const erased = await kgcbp.erase({ month, early, force, dryRun });
    const names = erased.map(monthName);
    if (options.json === true) printJson({ months: names, dryRun });
    else line(sentence(names, dryRun));
  });
}

function sentence(names: readonly string[], dryRun: boolean): string {
  if (names.length === 0) return "nothing to erase: it was done before, or KGCBP never had keys of it";
  return dryRun ? `nothing changed; it would erase ${names.join(", ")}` : `erased ${names.join(", ")}`;
}
