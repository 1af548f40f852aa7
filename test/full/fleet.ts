import { join } from "node:path";
import { REPOSITORY } from "../src/documents/repository.js";
import { node } from "../src/world/demo-process.js";
import { seconds, type Report } from "./report.js";

const BENCH = join(REPOSITORY, "bench", "dist", "src", "fleet", "main.js");
const ARGUMENTS = "--meters 2000 --regions 4 --periods 2 --factor 10 --lead 60 --faulty 1%";

/** A fleet against processes of their own: ledger service, aggregators, control center, KGCBP. */
export async function fleet(report: Report): Promise<void> {
  const ended = await node([BENCH, ...ARGUMENTS.split(" ")]);
  const isWhole = ended.code === 0;
  report.check(
    "every reading that was due has a receipt and is in a block",
    isWhole,
    isWhole ? seconds(ended.seconds) : ended.stderr.slice(-600),
  );
  const said = /^readings due .*$/m.exec(ended.stdout)?.[0] ?? "nothing was said";
  report.check(
    "a hundredth of the meters is silent, half, late, double or off its time",
    said.includes(" lost 0, "),
    said,
  );
}
