import { VeilgridError } from "@veilgrid/protocol";
import { existsSync, readFileSync } from "node:fs";

/** The bytes of a parameter set, as a file has them. @throws VeilgridError `file-missing`. */
export function readParams(path: string): Uint8Array {
  if (existsSync(path)) return readFileSync(path);
  throw new VeilgridError("file-missing", `there is no file ${path}`, { facts: { file: path }, blame: "caller" });
}
