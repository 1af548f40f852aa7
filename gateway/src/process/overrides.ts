import { z } from "zod";
import { bare, sectionsOf } from "./shape-keys.js";

/** A value of a configuration that the environment may give. */
export interface Override {
  readonly path: readonly string[];
  /** Whether the value is the text itself; otherwise the text is read as in the file. */
  readonly takes: (text: string) => boolean;
}

/** "secretFile" as a part of a variable's name: "SECRET_FILE". */
function upper(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** By the variable's name: every value of a shape but those in lists. */
export function overridesOf(shape: z.ZodType): ReadonlyMap<string, Override> {
  const found = new Map<string, Override>();
  collect(shape, [], found);
  return found;
}

function collect(shape: z.ZodType, path: readonly string[], found: Map<string, Override>): void {
  for (const keys of sectionsOf(shape)) {
    for (const [key, value] of Object.entries(keys)) {
      const at = [...path, key];
      const inner = bare(value);
      if (sectionsOf(inner).length > 0) collect(inner, at, found);
      else if (!(inner instanceof z.ZodArray || inner instanceof z.ZodLiteral)) found.set(name(at), leaf(at, inner));
    }
  }
}

function name(path: readonly string[]): string {
  return `VEILGRID_${path.map(upper).join("_")}`;
}

function leaf(path: readonly string[], shape: z.ZodType): Override {
  return { path, takes: (text) => shape.safeParse(text).success };
}
