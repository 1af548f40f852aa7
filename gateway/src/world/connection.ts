import { resolve } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";
import { z } from "zod";
import { readJson, writeWhole } from "../store/files.js";
import type { DataFolder } from "./folder.js";
import type { LedgerKind, RunRecord } from "./plan.js";

const shape = z.strictObject({ profile: z.string().min(1) });

/** The connection profile that a folder's run used last; undefined where it never reached a network. */
async function keptProfile(folder: DataFolder): Promise<string | undefined> {
  const json = await readJson(folder.connection);
  if (json === undefined) return undefined;
  const { success, data, error } = shape.safeParse(json);
  if (success) return data.profile;
  throw new VeilgridError("damaged-folder", `${folder.connection} is not what a run wrote`, {
    facts: { folder: folder.path },
    blame: "operator",
    cause: error,
  });
}

/** Keeps the path of a profile that led to the run's own channel, so that later commands need not name it. */
export async function keepProfile(folder: DataFolder, profile: string): Promise<void> {
  if ((await keptProfile(folder)) === profile) return;
  await writeWhole(folder.connection, `${JSON.stringify({ profile }, undefined, 2)}\n`);
}

/**
 * The absolute path of the profile that a run's channel is reached by: the one that is asked for, or else the folder's.
 * @throws VeilgridError `no-profile`, `damaged-folder`.
 */
export async function profileFor(folder: DataFolder, asked: string | undefined): Promise<string> {
  const profile = asked === undefined ? await keptProfile(folder) : resolve(asked);
  if (profile !== undefined) return profile;
  const sentence = `the run in ${folder.path} is on Fabric, and was on no network yet: say which, by --profile FILE`;
  throw new VeilgridError("no-profile", sentence, { facts: { folder: folder.path }, blame: "caller" });
}

/** Where somebody says that a run's ledger is. */
export interface AskedPlace {
  readonly ledger?: LedgerKind;
  readonly profile?: string;
}

/**
 * Refuses a place that is not that of the folder's run.
 * @throws VeilgridError `other-arguments` for another ledger, `bad-option` for a profile where no peer is asked.
 */
export function requirePlace(folder: DataFolder, record: RunRecord, { ledger, profile }: AskedPlace): void {
  const there = record.arguments.ledger;
  if (ledger !== undefined && ledger !== there) {
    const differences = `--ledger is "${there}" there and "${ledger}" here`;
    throw new VeilgridError("other-arguments", `${folder.path} holds a run on another ledger (${differences})`, {
      facts: { differences },
      blame: "caller",
    });
  }
  if (profile === undefined || there === "fabric") return;
  const sentence = `--profile goes with --ledger fabric: the ledger of the run in ${folder.path} is embedded`;
  throw new VeilgridError("bad-option", sentence, { facts: { option: "--profile" }, blame: "caller" });
}
