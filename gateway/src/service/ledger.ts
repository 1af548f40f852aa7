import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { VeilgridError, consortiumId, equalBytes, isVeilgridError, toHex, type LedgerView } from "@veilgrid/protocol";
import type { PeerLedger } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import { requirePrivate } from "../process/secret.js";
import type { LedgerEntry } from "./configuration.js";

const RETRY_MS = 1_000;

/** What a ledger is opened with. */
export interface LedgerPlace {
  readonly entry: LedgerEntry;
  readonly msp: string;
  /** Folder of the copy of the ledger's state. */
  readonly path: string;
}

/** How a service waits for its ledger. */
export interface WaitingModules {
  readonly log: Log;
  /** Aborted when the service is stopped. */
  readonly signal: AbortSignal;
}

/** @throws VeilgridError as RemoteLedger.open and FabricLedger.open. */
async function openOnce({ entry, msp, path }: LedgerPlace, log: Log): Promise<PeerLedger> {
  if (entry.kind === "fabric") {
    const { readProfile } = await import("../fabric/profile.js");
    const { FabricLedger } = await import("../fabric/ledger.js");
    const profile = await readProfile(entry.profile);
    return FabricLedger.open({ profile, path, prefer: entry.prefer ?? msp, log });
  }
  await requirePrivate(entry.key);
  const { RemoteLedger } = await import("../remote/ledger.js");
  const [authority, certificate, key] = await Promise.all(
    [entry.authority, entry.certificate, entry.key].map((file) => readFile(file, "utf8")),
  );
  const named = entry.serverName === undefined ? {} : { serverName: entry.serverName };
  return RemoteLedger.open({
    endpoint: { target: entry.target, authority: authority as string, ...named },
    identities: [{ msp, certificate: certificate as string, key: key as string }],
    path,
    log,
  });
}

/**
 * Opens a service's ledger, and waits for it as long as it takes; undefined where the service is stopped meanwhile.
 * @throws VeilgridError what waiting does not mend: `bad-profile`, `bad-secret-file`, `access-refused`, `tls-refused`, `ledger-forked`.
 */
export async function openLedger(place: LedgerPlace, { log, signal }: WaitingModules): Promise<PeerLedger | undefined> {
  while (!signal.aborted) {
    try {
      return await openOnce(place, log);
    } catch (error) {
      if (!isVeilgridError(error) || !error.retry) throw error;
      log("warn", "ledger-waited-for", { code: error.code, why: error.message });
    }
    await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/**
 * Waits until the consortium is set up on the ledger; false where the service is stopped meanwhile.
 * @throws VeilgridError `other-consortium`.
 */
export async function setUp(view: LedgerView, params: Uint8Array, { log, signal }: WaitingModules): Promise<boolean> {
  if (!(await view.isSetUp())) log("warn", "set-up-waited-for", { consortium: toHex(consortiumId(params)) });
  while (!signal.aborted) {
    if (await view.isSetUp()) {
      await requireOwn(view, params);
      return true;
    }
    await pause(RETRY_MS / 4, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

/** "SHA-256 of its version 1 bytes is the consortium id, for ever." */
async function requireOwn(view: LedgerView, params: Uint8Array): Promise<void> {
  const own = consortiumId(params);
  const there = await view.consortium();
  if (equalBytes(own, there)) return;
  const facts = { own: toHex(own), there: toHex(there) };
  throw new VeilgridError("other-consortium", "the ledger is of another consortium than the parameter file", {
    facts,
    blame: "operator",
  });
}
