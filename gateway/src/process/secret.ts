import { stat } from "node:fs/promises";
import { VeilgridError, fromHex, isVeilgridError, schnorr } from "@veilgrid/protocol";
import { readWhole } from "../store/files.js";

function bad(path: string, reason: string): VeilgridError {
  return new VeilgridError("bad-secret-file", `the secret file ${path} ${reason}`, {
    facts: { path },
    blame: "operator",
  });
}

/**
 * Refuses a file that others than its owner may open.
 * @throws VeilgridError `bad-secret-file`.
 */
export async function requirePrivate(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw bad(path, "is not there");
    throw error;
  });
  const mode = found.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw bad(path, `may be opened by others (mode ${mode.toString(8).padStart(4, "0")}): chmod 600 ${path}`);
  }
}

/**
 * A BIP-340 secret from its file: 64 hex digits, in a file that its owner alone may open.
 * @throws VeilgridError `bad-secret-file`, which never says what is in it.
 */
export async function readSecret(path: string): Promise<Uint8Array> {
  await requirePrivate(path);
  const text = ((await readWhole(path)) ?? "").trim();
  if (!/^[0-9a-f]{64}$/i.test(text)) throw bad(path, "does not hold 64 hex digits");
  const secret = fromHex(text.toLowerCase());
  try {
    schnorr.publicKey(secret);
  } catch (error) {
    if (!isVeilgridError(error, "bad-secret")) throw error;
    throw bad(path, "holds no secret of BIP-340");
  }
  return secret;
}
