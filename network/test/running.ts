import { appendFileSync, cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  CHAINCODE,
  CHAINCODE_FOLDER,
  CHANNEL,
  heights,
  networkProcesses,
  processStatus,
  reset,
  Site,
  withGateway,
} from "../src/index.js";
import { CC, KGCBP, type Organisation } from "../src/consortium.js";
import { waitFor } from "../src/waiting.js";

/** A compiled chaincode with one more comment, beside a network's folder. */
export function otherCode(root: string): string {
  const folder = join(root, "..", "other-code");
  if (existsSync(folder)) return folder;
  cpSync(join(CHAINCODE_FOLDER, "dist", "src"), join(folder, "dist", "src"), { recursive: true });
  cpSync(join(CHAINCODE_FOLDER, "package.json"), join(folder, "package.json"));
  appendFileSync(join(folder, "dist", "src", "index.js"), "// Another version.\n");
  return folder;
}

/** A network that a test starts, in a folder of its own, and what tests ask it. */
export class RunningNetwork {
  readonly root = join(mkdtempSync(join(tmpdir(), "veilgrid-e2e-")), "state");

  get site(): Site {
    return Site.open(this.root);
  }

  /** Stops everything and removes every file, those too that a test put beside the network's. */
  async remove(): Promise<void> {
    await reset(this.root);
    rmSync(dirname(this.root), { recursive: true, force: true });
  }

  /** What the contract answers through an organisation's gateway, to CC or, there, to KGCBP. */
  query(gateway: Organisation, name: string, ...args: string[]): Promise<string> {
    const caller = gateway.name === KGCBP.name ? KGCBP : CC;
    return withGateway(this.site, gateway, caller, async (connection) => {
      const contract = connection.getNetwork(CHANNEL).getContract(CHAINCODE);
      return Buffer.from(await contract.evaluateTransaction(name, ...args)).toString();
    });
  }

  /** The result of a transaction that is committed through an organisation's gateway. */
  submit(gateway: Organisation, name: string, ...args: string[]): Promise<string> {
    return withGateway(this.site, gateway, KGCBP, async (connection) => {
      const contract = connection.getNetwork(CHANNEL).getContract(CHAINCODE);
      return Buffer.from(await contract.submitTransaction(name, ...args)).toString();
    });
  }

  /** The numbers of the processes that run or are frozen. */
  pids(): number[] {
    const { site } = this;
    const all = networkProcesses(site).map((name) => processStatus(site.folder, name).pid);
    return all.filter((pid) => pid !== undefined);
  }

  /** Waits until all peers and orderers have as many blocks, and tells how many. */
  async sameHeight(): Promise<number> {
    const { site } = this;
    let known: ReadonlyMap<string, number> = new Map();
    await waitFor(site.folder, { what: "equal heights", within: 120_000, processes: [] }, async () => {
      known = await heights(site);
      const all = known.size === site.aggregators.length + site.withPeer.length;
      return all && new Set(known.values()).size === 1 ? [] : ["heights"];
    });
    return [...known.values()][0] as number;
  }
}
