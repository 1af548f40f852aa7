import { readFile } from "node:fs/promises";
import type { Identity } from "../grpc/authority.js";
import type { Endpoint } from "../grpc/endpoint.js";
import type { Address } from "../ports/transport.js";
import { readSecret, requirePrivate } from "../process/secret.js";
import type { Listening, PeerEntry, ServiceConfiguration } from "./configuration.js";

/** The party's signing keys. @throws VeilgridError `bad-secret-file`. */
export async function secretsOf({
  secretFile,
  otherSecretFiles,
}: Pick<ServiceConfiguration, "secretFile" | "otherSecretFiles">): Promise<[Uint8Array, ...Uint8Array[]]> {
  return [await readSecret(secretFile), ...(await Promise.all(otherSecretFiles.map(readSecret)))];
}

/** A certificate and its key, which its owner alone may open. @throws VeilgridError `bad-secret-file`. */
export async function identityOf({ certificate, key }: Pick<Listening, "certificate" | "key">): Promise<Identity> {
  await requirePrivate(key);
  return { certificate: await readFile(certificate, "utf8"), key: await readFile(key, "utf8") };
}

/** Where the other parties are, and by whose authority they are known. */
export async function endpointsOf(peers: readonly PeerEntry[]): Promise<ReadonlyMap<Address, Endpoint>> {
  const entries = peers.map(async ({ address, target, authority, serverName }) => {
    const named = serverName === undefined ? {} : { serverName };
    return [address, { target, authority: await readFile(authority, "utf8"), ...named }] as const;
  });
  return new Map(await Promise.all(entries));
}
