import { concat, sha256, toHex, VeilgridError } from "@veilgrid/protocol";
import type { Stub } from "./stubState.js";

/**
 * The bulk bytes of a transaction travel as transient data; the argument binds them: it is the lower-case hex SHA-256
 * of the parts, one after the other (PROTOCOL section 7).
 * @throws VeilgridError `missing-transient`, `wrong-digest`.
 */
export function transientParts(stub: Stub, names: readonly string[], digest: string): Uint8Array[] {
  const transient = stub.getTransient();
  const parts = names.map((name) => {
    const part = transient.get(name);
    if (part === undefined) throw refusedInput("missing-transient", `the transient data lack "${name}"`, { name });
    return new Uint8Array(part);
  });
  if (toHex(sha256(concat(...parts))) !== digest) {
    throw refusedInput("wrong-digest", "the argument is not the SHA-256 of the transient data", { digest });
  }
  return parts;
}

function refusedInput(code: string, message: string, facts: Record<string, string>): VeilgridError {
  return new VeilgridError(code, message, { facts, blame: "caller" });
}
