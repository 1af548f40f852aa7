import { readFile } from "node:fs/promises";
import { VeilgridError, consortiumId, fromHex, paramsCodec, type Params } from "@veilgrid/protocol";
import type { Endpoint } from "../grpc/endpoint.js";
import type { Address } from "../ports/transport.js";
import { readBytes } from "../store/files.js";
import type { MetersideConfiguration } from "./configuration.js";

/** What a meter is told of its consortium at the installation. */
export interface Consortium {
  readonly params: Params;
  /** The consortium id, 32 bytes. */
  readonly consortium: Uint8Array;
}

type Given = Pick<MetersideConfiguration, "params" | "consortium" | "das" | "kgcbp">;

/**
 * Reads the parameter set. Of version 1 the consortium id is the hash ("SHA-256 of its version 1 bytes"); of a later one
 * the configuration has to say it.
 * @throws VeilgridError `no-params`, `needs-consortium`, `other-consortium`; `malformed` and the like for another file.
 */
export async function readConsortium({ params: path, consortium: said }: Given): Promise<Consortium> {
  const bytes = await readBytes(path);
  if (bytes === undefined) throw refused("no-params", `there is no parameter set ${path}`, path);
  const params = paramsCodec.decode(bytes);
  if (params.version > 1) {
    if (said !== undefined) return { params, consortium: fromHex(said) };
    throw refused("needs-consortium", `${path} is version ${params.version}: the consortium id must be given`, path);
  }
  const consortium = consortiumId(bytes);
  if (said !== undefined && Buffer.from(consortium).toString("hex") !== said) {
    throw refused("other-consortium", `${path} is of another consortium than the one configured`, path);
  }
  return { params, consortium };
}

function refused(code: string, message: string, path: string): VeilgridError {
  return new VeilgridError(code, message, { facts: { path }, blame: "operator" });
}

/** Everybody whom a meter asks, by address. @throws the system's errors for an authority that cannot be read. */
export async function readEndpoints({ das, kgcbp }: Given): Promise<ReadonlyMap<Address, Endpoint>> {
  const all = kgcbp === undefined ? das : [...das, { ...kgcbp, address: "kgcbp" }];
  const endpoints = new Map<Address, Endpoint>();
  for (const { address, target, authority, serverName } of all) {
    const pem = await readFile(authority, "utf8");
    endpoints.set(address, { target, authority: pem, ...(serverName === undefined ? {} : { serverName }) });
  }
  return endpoints;
}
