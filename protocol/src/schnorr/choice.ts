import { VeilgridError } from "../errors.js";
import type { EngineName, SchnorrEngine } from "./engine.js";
import { nativeEngine } from "./native.js";
import { nobleEngine } from "./noble.js";
import { wasmEngine } from "./wasm.js";

/** The engines that run on this machine, the fastest first. */
export function availableEngines(): readonly SchnorrEngine[] {
  const native = nativeEngine();
  return native === undefined ? [wasmEngine, nobleEngine] : [native, wasmEngine, nobleEngine];
}

function find(name: string): SchnorrEngine {
  const engines = availableEngines();
  const found = name === "auto" ? engines[0] : engines.find((engine) => engine.name === name);
  if (found !== undefined) return found;
  throw new VeilgridError("unknown-engine", `there is no Schnorr engine "${name}" on this machine`, {
    facts: { engine: name, available: engines.map((engine) => engine.name).join(" ") },
    blame: "operator",
  });
}

let active: SchnorrEngine | undefined;

/** Chosen at the first use and not at import, so that importing the package opens no library. */
function current(): SchnorrEngine {
  active ??= find(process.env.VEILGRID_ENGINE ?? "auto");
  return active;
}

/**
 * Sets the engine of this process; "auto" takes the fastest that is there. Without a call the environment variable
 * VEILGRID_ENGINE decides, else "auto". @throws VeilgridError `unknown-engine` where it is absent.
 */
export function useEngine(name: EngineName | "auto"): void {
  active = find(name);
}

/** The engine in use. All engines give the same bytes and verdicts, so the choice is one of speed. */
export const schnorr: SchnorrEngine = {
  get name() {
    return current().name;
  },
  publicKey(secret) {
    return current().publicKey(secret);
  },
  publicPoint(secret) {
    return current().publicPoint(secret);
  },
  sign(message, secret) {
    return current().sign(message, secret);
  },
  verify(signature, message, publicKey) {
    return current().verify(signature, message, publicKey);
  },
};
