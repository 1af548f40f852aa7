import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Organisation } from "./consortium.js";
import { writeWhole } from "./folder.js";
import { peerTls, serviceTls } from "./identities.js";
import { HOST } from "./ports.js";
import type { ProcessPlan } from "./process.js";
import type { Deployment } from "./record.js";
import type { Site } from "./site.js";

/** The chaincode of this checkout. */
export const CHAINCODE_FOLDER = fileURLToPath(new URL("../../../chaincode", import.meta.url));
/** The modules that a chaincode finds. */
const MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const SHIM = join(MODULES, "fabric-shim", "cli.js");

/** Version 1 of the parameter set in a service's folder. */
export const PARAMS_FILE = "params.bin";

/** The files that a service runs, as paths below the package. */
function codeFiles(root: string): string[] {
  const compiled = readdirSync(join(root, "dist", "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1));
  return ["package.json", ...compiled.sort()];
}

/** SHA-256 over the chaincode's own code, so that a deployment knows whether it is the present one. */
export function codeDigest(root: string): string {
  const digest = createHash("sha256");
  for (const file of codeFiles(root)) {
    const content = readFileSync(join(root, file));
    digest.update(`${file}\0${content.length}\0`).update(content);
  }
  return digest.digest("hex");
}

/** What a service is made of. */
export interface ServiceContent {
  /** Version 1 of the parameter set. */
  readonly params: Uint8Array;
  /** The folder of a compiled chaincode: package.json and dist/src. */
  readonly code: string;
}

/** Gives an organisation a folder of its own with the chaincode and the parameter set, unless it has it. */
export function makeService(site: Site, label: string, organisation: Organisation, content: ServiceContent): void {
  const { code, params } = content;
  const folder = site.folder.service(label, organisation);
  if (existsSync(folder)) return;
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  for (const file of codeFiles(code)) cpSync(join(code, file), join(partial, file));
  writeWhole(join(partial, PARAMS_FILE), params);
  symlinkSync(MODULES, join(partial, "node_modules"));
  renameSync(partial, folder);
}

/** The name of a deployment's service of an organisation among the processes. */
export function serviceName({ name }: Organisation, { services }: Pick<Deployment, "services">): string {
  return `chaincode.${name}.v${services}`;
}

function servicePort(site: Site, organisation: Organisation, { services }: Deployment): number {
  const [odd, even] = site.ports(organisation).services;
  return services % 2 === 1 ? odd : even;
}

/** Tells an organisation's peer how to reach the service: mutual TLS, the peer with its own pair. */
export function makeConnection(site: Site, deployment: Deployment, organisation: Organisation): void {
  const own = peerTls(site.folder, organisation);
  const connection = {
    address: `${HOST}:${servicePort(site, organisation, deployment)}`,
    dial_timeout: "5s",
    tls_required: true,
    client_auth_required: true,
    client_key: readFileSync(own.key, "utf8"),
    client_cert: readFileSync(own.certificate, "utf8"),
    root_cert: readFileSync(serviceTls(site.folder, organisation).authority, "utf8"),
  };
  mkdirSync(site.folder.connections(organisation), { recursive: true, mode: 0o700 });
  writeWhole(
    join(site.folder.connections(organisation), `${deployment.label}.json`),
    JSON.stringify(connection),
    0o600,
  );
}

/** How an organisation's service of a deployment runs. */
export function servicePlan(site: Site, deployment: Deployment, organisation: Organisation): ProcessPlan {
  const { label, packageId } = deployment;
  const port = servicePort(site, organisation, deployment);
  const tls = serviceTls(site.folder, organisation);
  return {
    name: serviceName(organisation, deployment),
    file: process.execPath,
    args: [SHIM, "server"],
    cwd: site.folder.service(label, organisation),
    ports: [port],
    env: {
      CORE_CHAINCODE_ID: packageId,
      CORE_CHAINCODE_ADDRESS: `${HOST}:${port}`,
      CORE_PEER_LOCALMSPID: organisation.msp,
      CORE_CHAINCODE_LOGGING_LEVEL: "error",
      CORE_CHAINCODE_TLS_CERT_FILE: tls.certificate,
      CORE_CHAINCODE_TLS_KEY_FILE: tls.key,
      CORE_CHAINCODE_TLS_CLIENT_CACERT_FILE: peerTls(site.folder, organisation).authority,
    },
  };
}
