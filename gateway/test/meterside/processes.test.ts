import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { paramsCodec, toHex, type Period } from "@veilgrid/protocol";
import { stringify } from "yaml";
import { Authority } from "../../src/grpc/authority.js";
import { GrpcServer } from "../../src/grpc/server.js";
import { parseMeterLog } from "../../src/input/meter-log.js";
import type { FleetMeter } from "../../src/meterside/fleet-file.js";
import { silent } from "../../src/ports/log.js";
import { ScaledClock, type TimeScale } from "../../src/process/clock.js";
import { BEGIN, MetersideWorld, metersOf } from "./world.js";

const BIN = fileURLToPath(new URL("../../../bin/veilgrid.js", import.meta.url));
const FACTOR = 300;
const MONTH = "2013-04";

/** Real aggregators behind real servers, whose virtual time keeps up with a time-lapse. */
class LiveWorld {
  readonly world: MetersideWorld;
  readonly scale: TimeScale;
  readonly folder = mkdtempSync(join(tmpdir(), "veilgrid-meters-"));
  readonly #servers: GrpcServer[] = [];
  readonly #clock: ScaledClock;
  #driving: Promise<void> = Promise.resolve();
  #over = false;

  private constructor(world: MetersideWorld, scale: TimeScale) {
    this.world = world;
    this.scale = scale;
    this.#clock = new ScaledClock(scale, { onFailure: () => undefined });
  }

  static async begin(meters: readonly FleetMeter[], periods: number): Promise<LiveWorld> {
    const world = await MetersideWorld.of(meters, periods);
    // Three seconds before the first period ends: the processes start in that time.
    const scale = { origin: Date.now(), start: BEGIN + 15 * 60_000, factor: FACTOR };
    const live = new LiveWorld(world, scale);
    const authority = await Authority.make("the aggregators");
    writeFileSync(join(live.folder, "authority.pem"), authority.certificate);
    writeFileSync(join(live.folder, "params.bin"), paramsCodec.encode(world.params));
    const tls = await authority.issue({ name: "an aggregator", hosts: ["127.0.0.1"] });
    for (const i of world.seats.keys()) {
      const way = world.tapped(`meter/at-${i}`);
      const server = await GrpcServer.listen(
        { host: "127.0.0.1", port: 0, tls, audience: "meters" },
        {
          log: silent,
          handler: (method, request, reply) => {
            way.request(`da/Da${i}`, method, request, reply);
            return Promise.resolve();
          },
        },
      );
      live.#servers.push(server);
    }
    live.#driving = live.#drive();
    return live;
  }

  async #drive(): Promise<void> {
    while (!this.#over) {
      await this.world.run(Math.max(this.world.clock.now(), this.#clock.now()));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** What all configurations have. */
  get common(): object {
    const { origin, start, factor } = this.scale;
    const at = (ms: number): string => new Date(ms).toISOString();
    return {
      params: "params.bin",
      das: this.#servers.map(({ port }, i) => ({
        address: `da/Da${i}`,
        target: `127.0.0.1:${port}`,
        authority: "authority.pem",
      })),
      patienceSeconds: 300,
      clock: { origin: at(origin), start: at(start), factor },
    };
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return path;
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#driving;
    for (const server of this.#servers) await server.close(0);
    await this.#clock.stop();
    rmSync(this.folder, { recursive: true });
  }
}

function veilgrid(...args: string[]): ChildProcess & { readonly said: { out: string; err: string } } {
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, NODE_V8_COVERAGE: "" } });
  const said = { out: "", err: "" };
  child.stdout.on("data", (text: Buffer) => (said.out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (said.err += text.toString()));
  return Object.assign(child, { said });
}

/** Waits until something holds, or for half a minute. */
async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within half a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("the processes of meters", function () {
  this.timeout(60_000);

  it("are a fleet whose every reading has a receipt, and which says so", async () => {
    const meters = metersOf(6);
    const live = await LiveWorld.begin(meters, 2);
    try {
      const file = meters.map(({ name, region, key }) => ({ name, region, month: MONTH, key: toHex(key) }));
      live.write("meters.json", JSON.stringify(file));
      const config = {
        role: "fleet",
        ...live.common,
        data: "fleet",
        meters: "meters.json",
        driver: { kind: "profile" },
      };
      const path = live.write("fleet.yaml", stringify(config));
      const fleet = veilgrid(
        "fleet",
        "--config",
        path,
        "--periods",
        "1",
        "--within",
        "120",
        "--silent",
        "17%",
        "--json",
      );
      const [code] = (await once(fleet, "close")) as [number];
      expect(code, fleet.said.err).to.equal(0);
      const said = JSON.parse(fleet.said.out) as Record<string, unknown>;
      expect(said).to.deep.include({ meters: 6, lost: 0 });
      expect(said.faulty).to.deep.include({ silent: 1 });
      const [period] = said.periods as Record<string, unknown>[];
      expect(period).to.deep.include({ recorded: 5, due: 10, receipted: 10 });
      expect(live.world.contradictions).to.equal(0);
    } finally {
      await live.end();
    }
  });

  it("are a meter that is killed at any moment, and sends no period twice with other bytes", async () => {
    const [meter] = metersOf(1) as [FleetMeter];
    const live = await LiveWorld.begin([meter], 8);
    try {
      const keyFile = live.write("month.key", toHex(meter.key));
      mkdirSync(join(live.folder, "data"));
      const config = {
        ...{ role: "meter", name: "H1", ...live.common, data: "data", driver: { kind: "profile" } },
        installed: { region: 1, month: MONTH, keyFile },
      };
      const path = live.write("meter.yaml", stringify(config));
      // Killed when it has sent a first half, and then again some moments later, wherever it is.
      let process = veilgrid("meter", "run", "--config", path);
      await until(() => live.world.seen.size >= 1, "a first half");
      process.kill("SIGKILL");
      await once(process, "close");
      expect(existsSync(keyFile), "the installation's key is gone from the file").to.equal(false);
      process = veilgrid("meter", "run", "--config", path);
      await until(() => live.world.seen.size >= 3, "halves of a later period");
      process.kill("SIGKILL");
      await once(process, "close");
      process = veilgrid("meter", "run", "--config", path);
      await until(() => live.world.seen.size >= 4, "the rest");
      const log = veilgrid("meter", "log", "--config", path);
      await once(log, "close");
      const kept = parseMeterLog(log.said.out);
      expect([kept.meter, kept.periods.length > 1], log.said.err).to.deep.equal(["H1", true]);
      expect(kept.of(kept.periods[0] as Period)?.consumption).to.be.a("bigint");
      process.kill("SIGTERM");
      const [code] = (await once(process, "close")) as [number];
      expect(code, process.said.err).to.equal(0);
      expect(live.world.contradictions).to.equal(0);
      expect(process.said.out).to.not.include(toHex(meter.key));
    } finally {
      await live.end();
    }
  });

  it("refuse a configuration by naming the key", async () => {
    const folder = mkdtempSync(join(tmpdir(), "veilgrid-meters-"));
    const path = join(folder, "meter.yaml");
    writeFileSync(path, stringify({ role: "meter", name: "H1", driver: { kind: "p1-tcp", host: "p1", prot: 8088 } }));
    const refused = veilgrid("meter", "run", "--config", path);
    const [code] = (await once(refused, "close")) as [number];
    rmSync(folder, { recursive: true });
    expect(code).to.equal(2);
    expect(refused.said.err).to.include("bad-configuration");
    expect(refused.said.err).to.include("driver.prot is unknown");
    expect(refused.said.err).to.include("params is missing");
  });
});
