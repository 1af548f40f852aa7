import { VeilgridError, type Params } from "@veilgrid/protocol";
import { SeededRandom } from "../random.js";
import type { FleetConfiguration, MeterConfiguration } from "./configuration.js";
import { madeUpHouseholds, replayHouseholds, type Households } from "./households.js";
import { P1Driver } from "./p1.js";
import { RememberingRegister } from "./remembering.js";
import type { RegisterDriver } from "./register.js";
import type { DriverModules } from "./station.js";

type Driver = MeterConfiguration["driver"];
type Computed = FleetConfiguration["driver"];

/** @throws as `replayHouseholds`, `madeUpHouseholds`. */
export function openHouseholds(driver: Computed, { periodSeconds }: Params): Promise<Households> {
  const seconds = periodSeconds as 900 | 1800;
  if (driver.kind === "csv") return replayHouseholds(driver, seconds);
  return madeUpHouseholds({
    periodSeconds: seconds,
    random: SeededRandom.of(driver.seed),
    timezone: driver.timezone,
  });
}

/** Makes the driver that a configuration names. @throws VeilgridError `unknown-household`; as `openHouseholds`. */
export async function openDriver(driver: Driver, params: Params): Promise<(modules: DriverModules) => RegisterDriver> {
  const { periodSeconds } = params;
  switch (driver.kind) {
    case "csv":
    case "profile": {
      const households = await openHouseholds(driver, params);
      const household = householdOf(driver, households);
      return ({ time }) => new RememberingRegister({ households, household, periodSeconds }, { time });
    }
    case "p1-tcp": {
      const { host, port, quietSeconds } = driver;
      return p1({ source: { kind: "tcp", host, port }, ...quietOf(quietSeconds) });
    }
    case "p1-serial": {
      const { path, baud, quietSeconds } = driver;
      return p1({ source: { kind: "serial", path, baud }, ...quietOf(quietSeconds) });
    }
  }
}

function p1(options: ConstructorParameters<typeof P1Driver>[0]): (modules: DriverModules) => RegisterDriver {
  return ({ time, onFault }) => new P1Driver(options, { now: () => time.now(), onFault });
}

function quietOf(seconds: number | undefined): { quietMs?: number } {
  return seconds === undefined ? {} : { quietMs: seconds * 1000 };
}

function householdOf(driver: Extract<Driver, { kind: "csv" | "profile" }>, { names = [] }: Households): number {
  if (driver.kind === "profile") return driver.household;
  const found = names.indexOf(driver.household);
  if (found >= 0) return found;
  throw new VeilgridError("unknown-household", `${driver.file} has no household ${driver.household}`, {
    facts: { file: driver.file, household: driver.household },
    blame: "operator",
  });
}
