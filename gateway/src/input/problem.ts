import { isVeilgridError, VeilgridError } from "@veilgrid/protocol";

/** What can be wrong with an input file, as programs see it. */
export type ProblemCode =
  | "unreadable-file" // it is not there, or may not be read
  | "bad-gzip" // it ends in .gz or begins like gzip, and is not
  | "bad-csv" // quotes that do not close
  | "empty-file" // no row at all, or no row after the header
  | "unknown-header" // none of the forms that are read
  | "needs-start" // a file without dates, and no start given
  | "period-mismatch" // the file's periods are not the ones asked for
  | "row-length" // more or fewer cells than the header
  | "bad-household" // a row that names no household
  | "bad-number" // text where a number belongs, or a number out of reach
  | "bad-time" // no date and time, or one that no calendar has
  | "time-off-grid" // a value between two periods
  | "time-nonexistent" // a wall clock time that the zone skipped
  | "time-ambiguous" // a wall clock time that the zone had twice, in the file only once
  | "repeated-row" // the same period again with another value
  | "gap"; // so far from the file's other rows that the date must be wrong

/** One line of an input file, to complain about. */
export class Place {
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number) {
    this.file = file;
    this.line = line;
  }

  /** The error that names file, line, column (where one cell is to blame) and reason. */
  problem(code: ProblemCode, reason: string, column?: string): VeilgridError {
    const where = column === undefined ? "" : `, column ${column}`;
    return new VeilgridError(code, `${this.file}, line ${this.line}${where}: ${reason}`, {
      facts: { file: this.file, line: this.line, ...(column === undefined ? {} : { column }), reason },
      blame: "caller",
    });
  }
}

/** An error about a file as a whole. */
export function fileProblem(code: ProblemCode, file: string, reason: string, cause?: unknown): VeilgridError {
  return new VeilgridError(code, `${file}: ${reason}`, {
    facts: { file, reason },
    blame: "caller",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What a reader does with a bad row: it throws it, or keeps it and reads on without that row. */
export type Report = (problem: VeilgridError) => void;

/** The first bad row ends the reading. */
export const refuse: Report = (problem) => {
  throw problem;
};

/** Runs `action`; its VeilgridError, if there is one, goes to `report`. */
export function reporting(report: Report, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isVeilgridError(error)) throw error;
    report(error);
  }
}

/** Keeps the first `limit` problems and counts the rest. */
export class ProblemList {
  readonly kept: VeilgridError[] = [];
  count = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  readonly report: Report = (problem) => {
    this.count += 1;
    if (this.kept.length < this.#limit) this.kept.push(problem);
  };
}
