import { readFileSync } from "node:fs";

export type Row = Readonly<Record<string, string>>;

/** The rows of a CSV without quoted cells, by column. */
export function rowsOf(path: string): Row[] {
  const [header, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n") as [string, ...string[]];
  const names = header.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(names.map((name, i) => [name, cells[i] as string]));
  });
}

/** Only these columns. */
export function columns(rows: readonly Row[], names: readonly string[]): Row[] {
  return rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] as string])));
}
