import { KIND } from "@veilgrid/protocol";

const NAMES = new Map<number, string>(Object.entries(KIND).map(([name, kind]) => [kind, name]));

/** What a kind of block is called; "genesis" for the one that is no block. */
export function kindName(kind: number): string {
  return NAMES.get(kind) ?? "genesis";
}
