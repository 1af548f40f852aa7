import { readFileSync, writeFileSync } from "node:fs";

/** Compiled to dist/vectors; the files themselves stay beside the sources. */
function place(name: string): URL {
  return new URL(`../../vectors/${name}`, import.meta.url);
}

/** A committed file of this folder, parsed. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(place(name), "utf8"));
}

/** JSON whose arrays of plain values stand on one line: readable, and not much longer than the values. */
export function compactJson(value: unknown, indent = ""): string {
  const inner = `${indent} `;
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    if (list.every(isPlain)) return JSON.stringify(list);
    return `[\n${list.map((one) => inner + compactJson(one, inner)).join(",\n")}\n${indent}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([name, one]) => `${inner}${JSON.stringify(name)}: ${compactJson(one, inner)}`,
  );
  return `{\n${fields.join(",\n")}\n${indent}}`;
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

/** Writes a file of this folder. */
export function writeVectors(name: string, value: unknown): void {
  writeFileSync(place(name), `${compactJson(value)}\n`);
}
