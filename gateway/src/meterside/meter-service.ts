import { randomBytes } from "node:crypto";
import { VerifiedSignatures } from "@veilgrid/protocol";
import { decryptWith } from "../bill/encryption.js";
import { MeterTransport } from "../grpc/meter-transport.js";
import type { CallRecord } from "../grpc/metrics.js";
import { SeededRandom } from "../random.js";
import type { MeterConfiguration } from "./configuration.js";
import { Counter } from "./counter.js";
import { openDriver } from "./driver.js";
import { forgetMonthKey, readDevice, readMonthKey, type Device } from "./installation.js";
import { Door } from "../process/door.js";
import { meterRequests } from "./own-log.js";
import { readConsortium, readEndpoints } from "./parties.js";
import { MeterProcess } from "./process.js";
import { MeterStation, type StationOptions } from "./station.js";

/** Acks that a meter remembers to have verified: those of a few periods. */
const REMEMBERED = 64;

/** A running meter. */
export interface ServedMeter {
  readonly station: MeterStation;
  /** Where /metrics and /health are; undefined without an `http` section. */
  readonly httpPort: number | undefined;
  /** Rejects when the meter cannot go on; never resolves. */
  readonly failed: Promise<never>;
  /** What is under way is written; nothing more is read or sent. */
  close(): Promise<void>;
}

/**
 * Runs one meter: its register, its outbox, its way to the aggregators and to KGCBP's counter.
 * @throws VeilgridError `store-in-use`, `store-unreadable`, `cannot-listen`, `bad-proxy`, `bad-secret-file`,
 * `no-identity`; as `readConsortium` and `openDriver`; errors of the file system.
 */
export async function serveMeter(configuration: MeterConfiguration): Promise<ServedMeter> {
  const consortium = await readConsortium(configuration);
  const endpoints = await readEndpoints(configuration);
  const driver = await openDriver(configuration.driver, consortium.params);
  const device = configuration.device === undefined ? undefined : await readDevice(configuration.device);
  const ground = await MeterProcess.open(configuration, { base: { role: "meter", meter: configuration.name } });
  const { clock, store, log: processLog, metrics } = ground;
  const { log } = processLog;
  const closing: (() => Promise<void> | void)[] = [() => ground.close()];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const calls = metrics.counter("meter_requests_total", "requests by what became of them", ["method", "outcome"]);
    const onCall = ({ method, outcome }: CallRecord): void => {
      calls.inc({ method, outcome });
    };
    const { proxy } = configuration;
    const transport = new MeterTransport(
      { endpoints: () => endpoints, ...(proxy === undefined ? {} : { proxy }) },
      {
        log,
        metrics: { onCall },
        onFailure: (error) => {
          ground.onFailure("answer", error);
        },
      },
    );
    closing.push(() => {
      transport.close();
    });
    const random = new SeededRandom(randomBytes(32));
    const station = new MeterStation(
      { ...consortium, ...(await optionsOf(configuration, store.get(`${NAME}/keys`) === undefined, device)) },
      {
        ...{ clock, store, transport, random, log, driver },
        memory: new VerifiedSignatures(REMEMBERED),
        ...(device === undefined ? {} : { open: (told) => decryptWith(device.identity, told, "delivery") }),
      },
    );
    closing.push(() => station.stop());
    await ground.show(configuration, () => {
      const { isReading, facts } = station.state;
      return { isWell: isReading, facts };
    });
    await station.start();
    // No other process has this data folder: the store is locked.
    const door = await Door.open(configuration.data, {
      log,
      waitingFor: () => "start",
      onFailure: (error) => {
        ground.onFailure("operator", error);
      },
    });
    closing.push(() => door.close());
    door.admit(meterRequests(configuration.name, station.meter, consortium.params.periodSeconds));
    if (configuration.installed !== undefined) await forgetMonthKey(configuration.installed.keyFile);
    if (device !== undefined && configuration.kgcbp !== undefined) {
      const counter = new Counter(device.recipient, { clock, transport, random, meter: station.meter, log });
      closing.push(() => {
        counter.stop();
      });
      counter.start();
    }
    const reading = station.read().catch((error: unknown) => {
      ground.onFailure("register", error);
    });
    closing.push(() => reading);
    closing.push(() => station.stop());
    return { station, httpPort: ground.httpPort, failed: ground.failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A process has one meter, so its entries need no name of their own. */
const NAME = "meter";

async function optionsOf(
  { name, installed, patienceSeconds, driver }: MeterConfiguration,
  isNew: boolean,
  device: Device | undefined,
): Promise<Omit<StationOptions, "params" | "consortium">> {
  const tolerance = "toleranceSeconds" in driver ? driver.toleranceSeconds : undefined;
  return {
    name: NAME,
    // A device that has no keys yet learns its region with them.
    region: installed?.region ?? 1,
    // Afterwards the meter goes on with what is in its store, and the file is gone.
    ...(installed === undefined || !isNew ? {} : { key: await readMonthKey(installed) }),
    ...(device === undefined ? {} : { enrolled: { meter: name, device: device.recipient } }),
    ...(patienceSeconds === undefined ? {} : { patienceMs: patienceSeconds * 1000 }),
    ...(tolerance === undefined ? {} : { toleranceMs: tolerance * 1000 }),
  };
}
