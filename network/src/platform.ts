import { VeilgridError } from "@veilgrid/protocol";

/**
 * Processes are known by /proc, and Fabric publishes nothing for Windows: elsewhere there is the embedded ledger.
 * @throws VeilgridError `unsupported-platform`.
 */
export function requireLinux(platform: string = process.platform): void {
  if (platform === "linux") return;
  throw new VeilgridError(
    "unsupported-platform",
    "a Fabric network runs on Linux (x64, arm64); here there is the embedded ledger, on which `npm run demo` runs",
    { facts: { platform }, blame: "operator" },
  );
}
