import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
  appendFileSync,
  readFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { paramsCodec, paramsDefaults, quorum, schnorr } from "@veilgrid/protocol";
import { readProfile, type Profile } from "../../src/fabric/profile.js";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const FABRIC = join(ROOT, "network", "bin", "fabric.js");
const CHAINCODE = join(ROOT, "chaincode");
const NOTES = fileURLToPath(new URL("../ledger/contract.js", import.meta.url));
const run = promisify(execFile);

export const SIZE = 4;
export const NEEDED = quorum(SIZE);

/** Version 1 of the parameter set for such a network, with keys that everybody can know. */
function networkParams(): Uint8Array {
  const member = (msp: string, i: number): { msp: string; key: Uint8Array } => ({
    msp,
    key: schnorr.publicKey(new Uint8Array(32).fill(i + 1)),
  });
  return paramsCodec.encode({
    ...paramsDefaults,
    version: 1,
    channel: "veilgrid",
    da: Array.from({ length: SIZE }, (_, i) => member(`DA${i}MSP`, i)),
    cc: member("CCMSP", 100),
    kgcbp: member("KGCBPMSP", 101),
  });
}

/** A compiled chaincode with the Notes contract beside Veilgrid's. */
function makeCode(folder: string): void {
  cpSync(join(CHAINCODE, "dist", "src"), join(folder, "dist", "src"), { recursive: true });
  cpSync(join(CHAINCODE, "package.json"), join(folder, "package.json"));
  cpSync(NOTES, join(folder, "dist", "src", "notes.js"));
  appendFileSync(
    join(folder, "dist", "src", "package.js"),
    '\nimport { Notes } from "./notes.js";\ncontracts.push(Notes);\n',
  );
}

/** A real network with the Notes contract, driven by the command `fabric`. */
export class TestNetwork {
  readonly folder: string;
  readonly #state: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#state = join(folder, "state");
  }

  static async start(basePort: number): Promise<TestNetwork> {
    const network = new TestNetwork(mkdtempSync(join(tmpdir(), "veilgrid-gateway-e2e-")));
    const { folder } = network;
    writeFileSync(join(folder, "params.bin"), networkParams());
    makeCode(join(folder, "code"));
    await network.#fabric("up", "--base-port", basePort.toString());
    await network.#fabric("deploy", "--params", join(folder, "params.bin"), "--code", join(folder, "code"));
    return network;
  }

  /** Stops every process, frozen ones too, and leaves no file. */
  async stop(): Promise<void> {
    await this.#fabric("reset");
    rmSync(this.folder, { recursive: true });
  }

  get profileFile(): string {
    return join(this.#state, "profile.json");
  }

  profile(): Promise<Profile> {
    return readProfile(this.profileFile);
  }

  /** A file below the folder of the certificates and keys. */
  crypto(...path: readonly string[]): string {
    return join(this.#state, "crypto", "peerOrganizations", ...path);
  }

  /** Does something to processes, such as "peer.da0" or "chaincode.da1.v1". */
  async processes(what: "kill" | "start" | "freeze" | "thaw", ...names: readonly string[]): Promise<void> {
    await this.#fabric(what, ...names);
  }

  /** Changes the Notes contract of one organisation's service, and starts it anew. */
  async rewrite(organisation: string, from: string, to: string): Promise<void> {
    const label = readdirSync(join(this.#state, "chaincode"))[0] as string;
    const file = join(this.#state, "chaincode", label, organisation, "dist", "src", "notes.js");
    const code = readFileSync(file, "utf8");
    if (!code.includes(from)) throw new Error(`the contract has no ${from}`);
    writeFileSync(file, code.replace(from, to));
    await this.processes("kill", `chaincode.${organisation}.v1`);
    await this.#fabric("up");
  }

  /** An empty folder. */
  newFolder(): string {
    mkdirSync(join(this.folder, "ledgers"), { recursive: true });
    return mkdtempSync(join(this.folder, "ledgers", "ledger-"));
  }

  async #fabric(...args: readonly string[]): Promise<void> {
    await run(process.execPath, [FABRIC, ...args, "--state", this.#state]);
  }
}
