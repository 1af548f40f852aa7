import type { Command } from "commander";
import type { CaseStatus, CaseView } from "../kgcbp/case-desk.js";
import { caseJson, nextStep } from "./case-text.js";
import { addDeskOptions, ON_A_SERVICE, withDesk, type DeskOptions } from "./kgcbp-desk.js";
import { ON_FABRIC } from "./ledger-options.js";
import { examples } from "./options.js";
import { counted, line, printJson, printTable, startOf } from "./output.js";

const NOTES = `A case is opened by the fault that a readings block reports, and closed by KGCBP's verdict on the ledger: how
many meters of each sort, and not which. A finding is a meter that sent too much or twice without a fault of the block:
it has no verdict. The names are for KGCBP's operator alone.`;

const ORDER: readonly CaseStatus[] = ["overdue", "open", "closed", "finding"];

/** `veilgrid kgcbp cases`: open, overdue and closed, with what to do next. */
export function addKgcbpCases(parent: Command): void {
  addDeskOptions(parent.command("cases"))
    .description("list the cases of faulty meters: overdue, open and closed, with what to do next")
    .addHelpText(
      "after",
      examples(
        ["veilgrid kgcbp cases --out my-run --json", "veilgrid kgcbp cases --config kgcbp.yaml"],
        `${NOTES}\n\n${ON_A_SERVICE}\n\n${ON_FABRIC}`,
      ),
    )
    .action((options: DeskOptions) => list(options));
}

async function list(options: DeskOptions): Promise<void> {
  await withDesk(options, async ({ kgcbp, calendar: { periodSeconds } }) => {
    const cases = await kgcbp.cases();
    const sorted = ORDER.flatMap((status) => cases.filter((one) => one.status === status));
    if (options.json === true) printJson({ cases: sorted.map((one) => caseJson(one, periodSeconds)) });
    else print(sorted, periodSeconds);
  });
}

function print(cases: readonly CaseView[], periodSeconds: number): void {
  if (cases.length === 0) {
    line("no case: every meter was complete in every period");
    return;
  }
  printTable(
    ["status", "region", "period", "meters", "next"],
    cases.map((one) => [
      one.status,
      String(one.region),
      startOf(one.period, periodSeconds),
      one.meters.map(({ meter, fault }) => `${meter} (${fault})`).join(", "),
      nextStep(one, periodSeconds),
    ]),
    [1],
  );
  line(ORDER.map((status) => `${cases.filter((one) => one.status === status).length} ${status}`).join(", "));
  line(`${counted(cases.length, "period")} with faulty meters`);
}
