import { readFileSync } from "node:fs";

/** Reads one of the committed vector files; what its fields mean stands in its `source`. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), "utf8"));
}
