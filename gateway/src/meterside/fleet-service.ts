import type { Params } from "@veilgrid/protocol";
import { GrpcTransport } from "../grpc/transport.js";
import type { Transport } from "../ports/transport.js";
import { SeededRandom } from "../random.js";
import type { Shares } from "./conduct.js";
import type { FleetConfiguration } from "./configuration.js";
import { openHouseholds } from "./driver.js";
import { readFleet } from "./fleet-file.js";
import { FleetRun, type FleetReport } from "./fleet-run.js";
import { periodAtInstant } from "./instant.js";
import { readConsortium, readEndpoints } from "./parties.js";
import { MeterProcess } from "./process.js";

/** Milliseconds of the machine that a meter waits for an answer, at least, however fast its time goes. */
const REAL_PATIENCE_MS = 3_000;
/** After a window, milliseconds of the machine and of the meters' time: receipts may still be on their way to the disk. */
const REAL_SLACK_MS = 2_000;
const SLACK_MS = 5_000;
/** What nobody has answered by then will not be: its place is another's. */
const GIVE_UP_MS = 20_000;
/** Results are on standard output. */
const STDERR = 2;
/** As `Meter` waits where nothing is said. */
const ANSWER_SLACK_MS = 3_000;

/** What a command says of a fleet. */
export interface FleetWish {
  /** The first so many of the file; all if not given. */
  readonly meters?: number | undefined;
  readonly shares: Shares;
  readonly seed: string;
  /** The halves leave within so many seconds of a window's opening, by the meters' time. */
  readonly withinSeconds?: number | undefined;
  /** Without it the fleet goes on. */
  readonly periods?: number | undefined;
}

/** A fleet's report with what the process took. */
export interface FleetResult extends FleetReport {
  /** Of the machine, from start to end. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly residentMegabytes: number;
}

/** A running fleet. */
export interface ServedFleet {
  /** Resolves when the periods that were asked for are over; rejects when the fleet cannot go on. */
  readonly done: Promise<void>;
  readonly result: () => FleetResult;
  readonly httpPort: number | undefined;
  close(): Promise<void>;
}

/** So many connections to each aggregator, one after the other: requests of all meters share them. */
class Pool implements Transport {
  readonly #connections: readonly GrpcTransport[];
  #next = 0;

  constructor(connections: readonly GrpcTransport[]) {
    this.#connections = connections;
  }

  request(...asking: Parameters<Transport["request"]>): void {
    this.#next = (this.#next + 1) % this.#connections.length;
    this.#connections[this.#next]?.request(...asking);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

function patienceOf({ patienceSeconds, clock }: FleetConfiguration, { roundSeconds }: Params): number {
  if (patienceSeconds !== undefined) return patienceSeconds * 1000;
  return Math.max(roundSeconds * 1000 + ANSWER_SLACK_MS, REAL_PATIENCE_MS * (clock?.factor ?? 1));
}

/** @throws VeilgridError as `serveMeter`; `bad-fleet-file`, `bad-option`. */
export async function serveFleet(configuration: FleetConfiguration, wish: FleetWish): Promise<ServedFleet> {
  const begun = performance.now();
  const consortium = await readConsortium(configuration);
  const { periodSeconds } = consortium.params;
  const endpoints = await readEndpoints(configuration);
  const households = await openHouseholds(configuration.driver, consortium.params);
  const meters = await readFleet(configuration.meters, wish.meters);
  const ground = await MeterProcess.open(configuration, { base: { role: "fleet" }, destination: STDERR });
  const { clock, store, log } = ground;
  const onFailure = (error: unknown): void => {
    ground.onFailure("answer", error);
  };
  const calls = ground.metrics.counter("meter_requests_total", "requests by what became of them", [
    "method",
    "outcome",
  ]);
  const connection = (): GrpcTransport =>
    new GrpcTransport(
      { endpoints: () => endpoints },
      {
        log: log.log,
        onFailure,
        metrics: {
          onCall: ({ method, outcome }) => {
            calls.inc({ method, outcome });
          },
        },
      },
    );
  const pool = new Pool(Array.from({ length: configuration.connections }, connection));
  try {
    const fleet = new FleetRun(
      {
        ...consortium,
        ...{ meters, shares: wish.shares, inFlight: configuration.inFlight, periods: wish.periods },
        first: configuration.first === undefined ? undefined : periodAtInstant(configuration.first, periodSeconds),
        withinMs: wish.withinSeconds === undefined ? undefined : wish.withinSeconds * 1000,
        patienceMs: patienceOf(configuration, consortium.params),
        giveUpMs: GIVE_UP_MS,
        slackMs: Math.max(SLACK_MS, REAL_SLACK_MS * (configuration.clock?.factor ?? 1)),
      },
      {
        ...{ clock, store, households, transport: pool, log: log.log },
        random: SeededRandom.of(wish.seed),
        machine: () => performance.now(),
      },
    );
    show(ground, fleet);
    await ground.show(configuration, () => ({ isWell: true, facts: summary(fleet.report) }));
    await fleet.start();
    return {
      done: Promise.race([fleet.done, ground.failed]),
      result: () => resultOf(fleet.report, begun),
      httpPort: ground.httpPort,
      close: async () => {
        fleet.stop();
        pool.close();
        await ground.close();
      },
    };
  } catch (error) {
    pool.close();
    await ground.close();
    throw error;
  }
}

function resultOf(report: FleetReport, begun: number): FleetResult {
  const { user, system } = process.cpuUsage();
  return {
    ...report,
    seconds: Math.round(performance.now() - begun) / 1000,
    cpuSeconds: Math.round((user + system) / 1000) / 1000,
    residentMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

function summary({ meters, lost, periods, figures }: FleetReport): Readonly<Record<string, number>> {
  const { halves, receipts, requests, retries } = figures;
  return { meters, lost, periods: periods.length, halves, receipts, requests, retries };
}

/** The fleet's numbers in /metrics. */
function show({ metrics }: MeterProcess, fleet: FleetRun): void {
  const gauges: readonly (readonly [name: string, help: string, value: (report: FleetReport) => number])[] = [
    ["fleet_meters", "simulated meters", ({ meters }) => meters],
    ["fleet_halves", "halves that were sent at least once", ({ figures }) => figures.halves],
    ["fleet_receipts", "halves with a receipt", ({ figures }) => figures.receipts],
    ["fleet_retries", "requests beyond a half's first", ({ figures }) => figures.retries],
    ["fleet_lost", "readings that were due and have no receipt", ({ lost }) => lost],
    [
      "fleet_receipt_p95_seconds",
      "from a half's first request to its receipt",
      ({ figures }) => figures.latency.p95 / 1000,
    ],
  ];
  for (const [name, help, value] of gauges) {
    metrics.gauge(name, help, [], (gauge) => {
      gauge.set(value(fleet.report));
    });
  }
}
