import { createHash } from "node:crypto";
import { VeilgridError, sha256, toHex, utf8 } from "@veilgrid/protocol";
import { archive } from "./archive.js";

/** What Fabric lets a package be called. */
const LABEL = /^[0-9A-Za-z][0-9A-Za-z_.+-]{0,99}$/;
/** The id of a package whose label ends with the SHA-256 of its parameter set. */
const NAMING = /[-_.+]([0-9a-f]{64}):[0-9a-f]{64}$/;

/**
 * The package of a chaincode that every organisation runs as a service of its own (type `ccaas`). It holds version 1 of
 * the parameter set and no address: "The chaincode package contains these (public) bytes, so that the package id which
 * each organisation approves binds them". Equal parameters and label give equal bytes on every machine.
 * @throws VeilgridError `bad-label`.
 */
export function ccaasPackage(params: Uint8Array, label: string): Uint8Array {
  if (!LABEL.test(label)) {
    throw new VeilgridError("bad-label", `a package cannot be called ${JSON.stringify(label)}`, {
      facts: { label: label.slice(0, 100) },
      blame: "operator",
    });
  }
  return archive([
    { name: "metadata.json", content: utf8(`${JSON.stringify({ type: "ccaas", label })}\n`) },
    { name: "code.tar.gz", content: archive([{ name: "params.bin", content: params }]) },
  ]);
}

/** The id under which Fabric's lifecycle knows a package: its label and the SHA-256 of its bytes. */
export function packageId(label: string, bytes: Uint8Array): string {
  return `${label}:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The version under which a package that Fabric's own scripts make binds its parameter set: its label ends with it. */
export function namingVersion(version: string, params: Uint8Array): string {
  return `${version}-${toHex(sha256(params))}`;
}

function otherParams(approved: string, own: string): VeilgridError {
  return new VeilgridError(
    "other-params",
    `params.bin of this instance is not that of the approved package ${approved}`,
    {
      facts: { approved, own },
      blame: "operator",
    },
  );
}

/**
 * Refuses to run as a package whose label names another parameter set than this instance has.
 * @returns whether the label names one at all.
 * @throws VeilgridError `other-params`.
 */
export function requireNamed(params: Uint8Array, id: string): boolean {
  const named = NAMING.exec(id)?.[1];
  if (named === undefined) return false;
  const own = toHex(sha256(params));
  if (named !== own) throw otherParams(id, own);
  return true;
}

/**
 * Refuses to serve a package that does not bind the parameter set that this instance has: by its content, or, where
 * Fabric's own scripts made the package and put nothing but an address into it, by its label.
 * @param id the package id that the organisation approved, as the service is told it.
 * @throws VeilgridError `other-params`.
 */
export function requireApproved(params: Uint8Array, id: string): void {
  if (requireNamed(params, id)) return;
  const label = id.slice(0, Math.max(id.lastIndexOf(":"), 0));
  const own = packageId(label, ccaasPackage(params, label));
  if (own !== id) throw otherParams(id, own);
}
