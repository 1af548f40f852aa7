import { availableEngines, fromHex, nobleEngine, sha256, utf8, type SchnorrEngine } from "@veilgrid/protocol";
import { Bench } from "tinybench";
import { printRatios, type Measured } from "./ratios.js";

const SECRET = fromHex("01".repeat(32));
const MESSAGE = sha256(utf8("veilgrid bench"));

async function measure(engine: SchnorrEngine): Promise<Measured[]> {
  const key = engine.publicKey(SECRET);
  const signature = engine.sign(MESSAGE, SECRET);
  const bench = new Bench({ time: 500, warmupTime: 100 });
  bench.add("key", () => {
    engine.publicKey(SECRET);
  });
  bench.add("sign", () => {
    engine.sign(MESSAGE, SECRET);
  });
  bench.add("verify", () => {
    engine.verify(signature, MESSAGE, key);
  });
  await bench.run();
  return bench.tasks.map(({ name, result }) => ({
    what: name,
    by: engine.name,
    perSecond: result.state === "completed" ? result.throughput.mean : 0,
  }));
}

/** BIP-340 by every engine of this machine, as a ratio to the reference, @noble/curves, in the same run. */
export async function benchEngines(): Promise<void> {
  const measured: Measured[] = [];
  for (const engine of availableEngines()) measured.push(...(await measure(engine)));
  printRatios("BIP-340 (per second and core)", nobleEngine.name, measured);
}
