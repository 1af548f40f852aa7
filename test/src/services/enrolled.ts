import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { newCustomerKey, type CustomerKey } from "@veilgrid/gateway";
import { daAddress } from "@veilgrid/protocol";
import { ServiceProcess } from "./process.js";
import type { Site } from "./site.js";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What a meter says of itself. */
export interface MeterHealth {
  /** The serial number of the newest delivery of keys that it took. */
  readonly delivery: number;
  readonly periods: number;
}

/**
 * A meter as a process of its own that has nothing but its device's age identity: its keys and its region are what it gets
 * from KGCBP's counter.
 */
export class EnrolledMeter {
  readonly process: ServiceProcess;
  readonly device: CustomerKey;

  private constructor(process: ServiceProcess, device: CustomerKey) {
    this.process = process;
    this.device = device;
  }

  /** Makes its files at a site; it is not started yet. */
  static async at(site: Site, name: string): Promise<EnrolledMeter> {
    const folder = site.file(name);
    await mkdir(folder);
    const device = await newCustomerKey();
    writeFileSync(join(folder, "device"), `${device.identity}\n`, { mode: 0o600 });
    const { places, params } = site;
    const localhost = (port: number | undefined): string => `127.0.0.1:${port ?? 0}`;
    const http = await freePort();
    const config = {
      role: "meter",
      ...{ name, params: "../params.bin", data: "data", device: "device" },
      das: params.da.map((da, i) => ({
        ...{ address: daAddress(da), target: localhost(places.das[i]?.meters), serverName: "localhost" },
        authority: `../meters/authorities/da-${da.msp}.pem`,
      })),
      kgcbp: {
        ...{ target: localhost(places.kgcbp.meters), serverName: "localhost" },
        authority: "../kgcbp/tls/authority.pem",
      },
      driver: { kind: "profile" },
      http: { listen: localhost(http) },
    };
    // JSON is YAML, too.
    writeFileSync(join(folder, "meter.yaml"), JSON.stringify(config));
    const args = ["meter", "run", "--config", join(folder, "meter.yaml")];
    return new EnrolledMeter(
      new ServiceProcess({ name, args, http, log: join(folder, "log.jsonl"), env: site.env }),
      device,
    );
  }

  /** Undefined while nobody answers. */
  async health(): Promise<MeterHealth | undefined> {
    const page = await this.process.page("health");
    return page === undefined ? undefined : (JSON.parse(page.text) as MeterHealth);
  }
}
