import { newCustomerKey, type CustomerKey } from "@veilgrid/gateway";
import {
  addPeriods,
  consortiumId,
  paramsCodec,
  periodRange,
  periodsInMonth,
  schnorr,
  sha256,
  utf8,
  monthOf,
  paramsDefaults,
  type Member,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import { Draw } from "./draw.js";
import type { Scenario } from "./scenario.js";

const MONTH = monthOf("2013-04");
const PERIODS_A_DAY = 96;
/** The day whose beginning a run goes over, if it goes over one. */
const DAY = 10;
/** Times are short, so that a run is: a window of four minutes, rounds of five seconds. */
const TIMES = {
  periodSeconds: 900,
  submissionWindow: 240,
  forwardSeconds: 20,
  roundSeconds: 5,
  releaseSeconds: 900,
  maxSkewMs: 10_000,
} as const;

/** A home with its meter and its customer. */
export interface Home {
  /** The meter's name. */
  readonly name: string;
  readonly region: number;
  readonly bid: Uint8Array;
  /** K of the month, 32 bytes. */
  readonly monthKey: Uint8Array;
  readonly customer: CustomerKey;
  /** What it consumes in each period of the run, Wh; undefined where its register cannot be read. */
  readonly consumption: readonly (bigint | undefined)[];
  /** Whether its first PRID says two things in each period. */
  readonly isDoubleTongued: boolean;
}

export function secretOf(name: string): Uint8Array {
  return sha256(utf8(`simulated key of ${name}`));
}

/** The key that a party would be given in a later version of the parameter set. */
export function laterSecretOf(msp: string): Uint8Array {
  return secretOf(`${msp} later`);
}

function member(msp: string): Member {
  return { msp, key: schnorr.publicKey(secretOf(msp)) };
}

/** Everything that a run's parties know of each other before it begins. */
export interface Consortium {
  readonly scenario: Scenario;
  readonly params: Params;
  readonly id: Uint8Array;
  readonly homes: readonly Home[];
  readonly periods: readonly Period[];
  /** The aggregators that are hostile, by index. */
  readonly hostile: ReadonlySet<number>;
}

function paramsOf({ das }: Scenario): Params {
  return {
    ...paramsDefaults,
    ...TIMES,
    version: 1,
    channel: "simulation",
    da: Array.from({ length: das }, (_, i) => member(`Da${i}`)),
    cc: member("Cc"),
    kgcbp: member("Kgcbp"),
    minReleaseMeters: 5,
    maxRegionMeters: 50,
    maxWhPerPeriod: 5_000,
    billBytes: 32_768,
  };
}

function periodsOf({ periods, billed, midnight }: Scenario): Period[] {
  const inMonth = periodsInMonth(MONTH, TIMES.periodSeconds);
  const k = billed > 0 ? inMonth - periods : DAY * PERIODS_A_DAY + (midnight > 0 ? -Math.floor(periods / 2) : 40);
  return [...periodRange({ month: MONTH, k }, periods, TIMES.periodSeconds)];
}

const customers = new Map<string, Promise<CustomerKey>>();

/** Made once a process: every run has the same customers. What is encrypted to them plays no part in a run's trace. */
function customerOf(name: string): Promise<CustomerKey> {
  const known = customers.get(name) ?? newCustomerKey();
  customers.set(name, known);
  return known;
}

/** What becomes of a home's periods. */
type Fault = "silent" | "beyond" | "double" | undefined;

function consumptionOf(draw: Draw, fault: Fault): bigint | undefined {
  const isFaulty = draw.chance(0.5);
  const usual = BigInt(draw.within([-400, 3_000]));
  if (fault === "silent" && isFaulty) return undefined;
  return fault === "beyond" && isFaulty ? 9_000n : usual;
}

/** The consortium of a scenario. */
export async function consortiumOf(scenario: Scenario): Promise<Consortium> {
  const params = paramsOf(scenario);
  const draw = new Draw(`homes ${scenario.seed}`);
  const periods = periodsOf(scenario);
  const homes: Home[] = [];
  for (let i = 0; i < scenario.meters; i += 1) {
    const name = `home ${i}`;
    const fault: Fault = i < scenario.faulty ? draw.pick<Fault>(["silent", "beyond", "double"]) : undefined;
    homes.push({
      name,
      region: 1 + (i % scenario.regions),
      bid: sha256(utf8(`bid of ${name}`)).subarray(0, 16),
      monthKey: sha256(utf8(`month key of ${name}`)),
      customer: await customerOf(name),
      consumption: periods.map(() => consumptionOf(draw, fault)),
      isDoubleTongued: fault === "double",
    });
  }
  const first = draw.below(scenario.das);
  const hostile = new Set(Array.from({ length: scenario.hostile }, (_, i) => (first + i) % scenario.das));
  return { scenario, params, id: consortiumId(paramsCodec.encode(params)), homes, periods, hostile };
}

/** The period after the run's last. */
export function endOf({ periods, params }: Consortium): Period {
  return addPeriods(periods[0] as Period, periods.length, params.periodSeconds);
}
