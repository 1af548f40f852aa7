import { availableEngines, schnorr, sha256, utf8, type SchnorrEngine } from "@veilgrid/protocol";
import type { Command } from "commander";
import { examples, jsonOption } from "./options.js";
import { line, printJson, printTable } from "./output.js";

/** What an engine does in a second on this machine, by a short measurement. */
interface EngineSpeed {
  readonly name: string;
  /** Whether it is the one that commands use. */
  readonly inUse: boolean;
  readonly keysPerSecond: number;
  readonly signaturesPerSecond: number;
  readonly verificationsPerSecond: number;
}

/** Long enough that a cold start hardly counts, short enough to wait for. */
const MEASURE_MS = 150;
/** Readings of a period in a region of 1,000 meters. */
const BLOCK_READINGS = 2_000;

const NOTES = `All engines give the same bytes and verdicts. "native" needs the system's libsecp256k1 (Debian: libsecp256k1-1),
"wasm" runs anywhere, "noble" is the reference that the others are checked against.`;

/** `veilgrid engine`: the implementations of Schnorr signatures. */
export function addEngine(parent: Command): void {
  parent
    .command("engine")
    .description("say which implementations of Schnorr signatures are there, how fast they are, and which one runs")
    .addOption(jsonOption())
    .addHelpText("after", examples(["veilgrid engine", "veilgrid engine --engine wasm --json"], NOTES))
    .action(engine);
}

function engine({ json = false }: { readonly json?: boolean }): void {
  const engines = availableEngines().map(measured);
  if (json) {
    printJson({ inUse: schnorr.name, engines });
    return;
  }
  printTable(
    ["engine", "in use", "keys/s", "signatures/s", "verifications/s", "a block of 1,000 meters"],
    engines.map((one) => [
      one.name,
      one.inUse ? "yes" : "",
      String(one.keysPerSecond),
      String(one.signaturesPerSecond),
      String(one.verificationsPerSecond),
      `${(BLOCK_READINGS / one.verificationsPerSecond).toFixed(2)} s to verify`,
    ]),
    [2, 3, 4, 5],
  );
  line("measured for a fraction of a second on this machine as it is now");
}

function measured(one: SchnorrEngine): EngineSpeed {
  const secret = sha256(utf8("veilgrid engine"));
  const message = sha256(secret);
  const key = one.publicKey(secret);
  const signature = one.sign(message, secret);
  return {
    name: one.name,
    inUse: one.name === schnorr.name,
    keysPerSecond: perSecond(() => one.publicKey(secret)),
    signaturesPerSecond: perSecond(() => one.sign(message, secret)),
    verificationsPerSecond: perSecond(() => one.verify(signature, message, key)),
  };
}

function perSecond(work: () => unknown): number {
  const start = performance.now();
  let count = 0;
  let elapsed = 0;
  while (elapsed < MEASURE_MS) {
    work();
    count += 1;
    elapsed = performance.now() - start;
  }
  return Math.round((count * 1000) / elapsed);
}
