import { rm } from "node:fs/promises";
import type { MonthKey } from "@veilgrid/meter-client";
import { VeilgridError, fromHex } from "@veilgrid/protocol";
import { readIdentity } from "../bill/identity.js";
import { requirePrivate } from "../process/secret.js";
import { readWhole, syncFolder } from "../store/files.js";
import { dirname } from "node:path";
import type { MeterConfiguration } from "./configuration.js";

/** The device's own age key pair: deliveries of keys are encrypted to it. */
export interface Device {
  readonly identity: string;
  readonly recipient: string;
}

/** @throws VeilgridError `no-identity`, `bad-secret-file`. */
export async function readDevice(path: string): Promise<Device> {
  await requirePrivate(path);
  const identity = await readIdentity(path);
  const { identityToRecipient } = await import("age-encryption");
  return { identity, recipient: await identityToRecipient(identity) };
}

/**
 * The month key of the installation, until the meter has it in its store.
 * @throws VeilgridError `bad-secret-file`.
 */
export async function readMonthKey({
  month,
  keyFile,
}: NonNullable<MeterConfiguration["installed"]>): Promise<MonthKey> {
  await requirePrivate(keyFile);
  const text = ((await readWhole(keyFile)) ?? "").trim();
  if (/^[0-9a-f]{64}$/.test(text)) return { month, key: fromHex(text) };
  throw new VeilgridError("bad-secret-file", `the key file ${keyFile} does not hold 64 hex digits`, {
    facts: { path: keyFile },
    blame: "operator",
  });
}

/**
 * "The meter deletes K_M after M's last window, so nothing taken from a meter opens an earlier month" (PROTOCOL section 4):
 * a file that the key came in would open them all.
 */
export async function forgetMonthKey(keyFile: string): Promise<void> {
  await rm(keyFile, { force: true });
  await syncFolder(dirname(keyFile));
}
