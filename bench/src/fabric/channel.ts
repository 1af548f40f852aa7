import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { FabricLedger, readProfile } from "@veilgrid/gateway";
import { CHAINCODE_FOLDER, Site, deploy, reset, up } from "@veilgrid/network";

const quiet = (): void => undefined;

/** A network of its own with the chaincode on it. */
export interface Channel {
  readonly ledger: FabricLedger;
  /** Seconds that `up` took, from nothing to ready, and `deploy`. */
  readonly upSeconds: number;
  readonly deploySeconds: number;
  /** Bytes of the channel's blocks as a peer keeps them. */
  blockBytes(): Promise<number>;
  close(): Promise<void>;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function bytesBelow(folder: string, name: RegExp): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && name.test(entry.name)) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

/**
 * Brings a network of four data aggregators up in a folder and deploys the chaincode with a parameter set; the engine of
 * VEILGRID_ENGINE verifies there.
 */
export async function openChannel(folder: string, params: Uint8Array, basePort: number): Promise<Channel> {
  const state = join(folder, "network");
  await reset(state);
  const upSeconds = await seconds(() => up(state, { basePort }, quiet));
  const site = Site.open(state);
  const deploySeconds = await seconds(() => deploy(site, { params, code: CHAINCODE_FOLDER }, quiet));
  const ledger = await FabricLedger.open({
    profile: await readProfile(site.folder.profile),
    path: join(folder, "ledger"),
  });
  return {
    ledger,
    upSeconds,
    deploySeconds,
    blockBytes: () => bytesBelow(site.folder.data("peer.da0"), /^blockfile_\d+$/),
    close: async () => {
      await ledger.close();
      await reset(state);
    },
  };
}
