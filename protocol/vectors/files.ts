import { readFileSync, writeFileSync } from "node:fs";

/** Compiled to dist/vectors; the files themselves stay beside the sources. */
function place(name: string): URL {
  return new URL(`../../vectors/${name}`, import.meta.url);
}

/** A committed file of this folder, parsed. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(place(name), "utf8"));
}

const LINE = 120;

/** JSON in lines of up to 120 characters: what fits on one stands on one. */
export function compactJson(value: unknown, indent = ""): string {
  const line = JSON.stringify(value);
  if (indent.length + line.length <= LINE || typeof value !== "object" || value === null) return line;
  const inner = `${indent} `;
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return `[\n${list.map((one) => inner + compactJson(one, inner)).join(",\n")}\n${indent}]`;
  }
  const fields = Object.entries(value).map(
    ([name, one]) => `${inner}${JSON.stringify(name)}: ${compactJson(one, inner)}`,
  );
  return `{\n${fields.join(",\n")}\n${indent}}`;
}

/** Writes a file of this folder. */
export function writeVectors(name: string, value: unknown): void {
  writeFileSync(place(name), `${compactJson(value)}\n`);
}
