import type { CsvRow } from "./source.js";
import type { Layout, LayoutOptions } from "./layout.js";
import { LongLayout } from "./long.js";
import { fileProblem } from "./problem.js";
import { UndatedLayout } from "./undated.js";
import { WideLayout } from "./wide.js";

/**
 * Recognises the form of a file by its header.
 * @throws VeilgridError `unknown-header`, `needs-start`, `period-mismatch`.
 */
export function layoutOf(header: CsvRow, options: LayoutOptions): Layout {
  const layout = recognised(header, options);
  const asked = options.periodSeconds;
  if (asked !== undefined && layout.periodSeconds !== undefined && asked !== layout.periodSeconds) {
    const reason = `its periods are ${layout.periodSeconds} s long, not ${asked} s`;
    throw fileProblem("period-mismatch", header.place.file, reason);
  }
  return layout;
}

function recognised(header: CsvRow, options: LayoutOptions): Layout {
  const names = header.cells.map((name) => name.toLowerCase());
  if (names[0] === "reading_datetime") return new WideLayout(header, options);
  if (names.includes("lclid")) return new LongLayout(header, options);
  if (names.includes("half_hour") || names.includes("quarter")) return new UndatedLayout(header, options);
  throw header.place.problem(
    "unknown-header",
    "it begins neither with reading_datetime, nor with period, week, day_of_week, half_hour (or quarter), " +
      "nor is it LCLid,stdorToU,DateTime,KWH/hh (per half hour)",
  );
}
