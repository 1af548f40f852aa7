import { VeilgridError } from "@veilgrid/protocol";
import { readWhole } from "../store/files.js";

/**
 * The age X25519 identity in a file as age-keygen writes it: lines that begin with # are comments.
 * @throws VeilgridError `no-identity`, `unreadable-file`.
 */
export async function readIdentity(path: string): Promise<string> {
  const lines = ((await readWhole(path)) ?? "").split(/\r?\n/).map((text) => text.trim());
  const identity = lines.find((text) => /^AGE-SECRET-KEY-1[A-Z0-9]{58}$/.test(text));
  if (identity !== undefined) return identity;
  throw new VeilgridError("no-identity", `${path} is no file with an age X25519 identity`, {
    facts: { file: path },
    blame: "caller",
  });
}
