import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VeilgridError, isVeilgridError } from "@veilgrid/protocol";
import { openLedgerFile, openLedgerFolder, type StoredLedger } from "../ledger/stored.js";
import type { PeerLedger } from "../ports/ledger.js";
import { claimed } from "../world/claim.js";
import { profileFor, requirePlace } from "../world/connection.js";
import { DataFolder } from "../world/folder.js";
import { requireRecord } from "../world/record.js";
import { ledgerNotices } from "./ledger-notices.js";
import { sourceOf, type LedgerOptions, type LedgerSource, type PlaceOptions } from "./ledger-options.js";

/** What is done with a ledger. */
type Use<T> = (ledger: StoredLedger) => Promise<T>;

/** Lends the ledger that the options name. @throws VeilgridError `bad-option`, and as withSource. */
export async function withLedger<T>(options: LedgerOptions, use: Use<T>): Promise<T> {
  return withSource(sourceOf(options), use);
}

/** Lends a ledger. @throws VeilgridError as withFolderLedger, openLedgerFile and opening a Fabric ledger. */
export async function withSource<T>(source: LedgerSource, use: Use<T>): Promise<T> {
  switch (source.kind) {
    case "folder":
      return withFolderLedger(new DataFolder(source.path), source.place, use);
    case "fabric":
      return withChannel(source.profile, use);
    case "file":
      return lend(openLedgerFile(source.path), use);
  }
}

/**
 * Lends the ledger of a run's folder, which nobody else works on meanwhile: its own database, or the channel that its
 * run is on.
 * @throws VeilgridError `no-run`, `other-arguments`, `folder-in-use`, `no-ledger`, `ledger-damaged`.
 */
export async function withFolderLedger<T>(folder: DataFolder, place: PlaceOptions, use: Use<T>): Promise<T> {
  const record = await requireRecord(folder);
  requirePlace(folder, record, place);
  return claimed(folder, async () => {
    if (record.arguments.ledger === "embedded")
      return lend(openLedgerFolder(folder.ledger).catch(explain(folder)), use);
    const profile = await profileFor(folder, place.profile);
    return lend(openChannel(profile, folder.ledger), use);
  });
}

/** Lends a channel, followed from its beginning into a scratch folder. */
async function withChannel<T>(profile: string, use: Use<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), "veilgrid-"));
  try {
    return await lend(openChannel(profile, path), use);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function openChannel(profile: string, path: string): Promise<StoredLedger> {
  // Loaded when it is needed: nothing else needs contracts and their runtime here.
  const { openPeers } = await import("../world/ledger.js");
  const ledger = await openPeers(profile, path, ledgerNotices());
  try {
    return await asStored(ledger);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

/** A channel as it is now: what is committed later is not waited for. */
async function asStored(ledger: PeerLedger): Promise<StoredLedger> {
  return {
    state: ledger.state,
    tip: { height: await ledger.height(), hash: ledger.tip },
    blocks: (from) => ledger.blocks(from),
    channel: () => ledger.channel?.() ?? Promise.resolve(undefined),
    close: () => ledger.close(),
  };
}

async function lend<T>(opening: Promise<StoredLedger>, use: Use<T>): Promise<T> {
  const ledger = await opening;
  try {
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

/** A folder whose set-up was interrupted has a record and no ledger yet. */
function explain({ path }: DataFolder): (error: unknown) => never {
  return (error) => {
    if (!isVeilgridError(error, "no-ledger")) throw error;
    throw new VeilgridError("no-ledger", `the run in ${path} has no ledger yet; veilgrid setup or demo goes on`, {
      facts: { folder: path },
      blame: "caller",
      cause: error,
    });
  };
}
