import { Draw, type Span } from "./draw.js";

/** What a hostile aggregator does; it draws several of these. */
export const HOSTILITIES = [
  "equivocates",
  "votes-for-everything",
  "withholds",
  "replays",
  "forges",
  "votes-for-everybody",
  "names-nonsense",
  "says-nothing",
  "omits",
  "acks-without-keeping",
] as const;

export type Hostility = (typeof HOSTILITIES)[number];

/**
 * Everything about a run that is decided before it begins. It follows from the seed; a field may be set otherwise, which is
 * how a failing run is made smaller.
 */
export interface Scenario {
  readonly seed: number;
  /** Aggregators. */
  readonly das: number;
  readonly meters: number;
  readonly regions: number;
  readonly periods: number;
  /** 1 for the contract on the embedded ledger, 0 for the rules alone. */
  readonly embedded: number;
  /** 1 where the last period is its month's last, so that bills are made. */
  readonly billed: number;
  /** 1 where the periods go over the end of a day, so that there are two epochs. */
  readonly midnight: number;
  /** How many aggregators are hostile: f at most. */
  readonly hostile: number;
  /** Messages lost, and requests doubled, in thousandths. */
  readonly loss: number;
  readonly twice: number;
  /** The longest delay of a message, a write, a step of the ledger and a peer's lag, milliseconds. */
  readonly delayMs: number;
  readonly writeMs: number;
  readonly submitMs: number;
  readonly lagMs: number;
  /** Submissions whose outcome is not heard of, in thousandths. */
  readonly unheard: number;
  /** How far clocks are off, milliseconds. */
  readonly skewMs: number;
  /** Times at which the network falls apart. */
  readonly partitions: number;
  /** Times at which processes are killed, and the probability of a death at a write, in thousandths. */
  readonly kills: number;
  readonly deaths: number;
  /** Faulty meters: silent, double-tongued or beyond the bound. */
  readonly faulty: number;
  /** 1 where the operators agree on another parameter set on the way: other values, or a new key. */
  readonly successor: number;
}

export type Setting = Exclude<keyof Scenario, "seed">;

/** A run without faults, and as small as one can be: what a shrunk scenario tends to. */
export const CALM: Readonly<Record<Setting, number>> = {
  das: 4,
  meters: 6,
  regions: 1,
  periods: 1,
  embedded: 0,
  billed: 0,
  midnight: 0,
  hostile: 0,
  loss: 0,
  twice: 0,
  delayMs: 40,
  writeMs: 1,
  submitMs: 20,
  lagMs: 20,
  unheard: 0,
  skewMs: 0,
  partitions: 0,
  kills: 0,
  deaths: 0,
  faulty: 0,
  successor: 0,
};

/** One of a few, the earlier ones oftener. */
function mostly(draw: Draw, ...values: readonly [number, ...number[]]): number {
  const first = values.find(() => draw.chance(0.5));
  return first ?? values[0];
}

const span = (draw: Draw, limits: Span): number => draw.within(limits);

/** The scenario of a seed: about a third of all have hostile aggregators. */
export function scenarioOf(seed: number): Scenario {
  const draw = new Draw(`scenario ${seed}`);
  const regions = mostly(draw, 1, 2);
  const das = mostly(draw, 4, 4, 5, 7);
  const meters = span(draw, [6 * regions, 12]);
  const hostile = draw.chance(1 / 3) ? (das === 7 ? span(draw, [1, 2]) : 1) : 0;
  return {
    seed,
    das,
    meters,
    regions,
    periods: mostly(draw, 2, 3, 1, 5, 8),
    embedded: Number(draw.chance(0.06)),
    billed: Number(draw.chance(0.2)),
    midnight: Number(draw.chance(0.3)),
    hostile,
    loss: mostly(draw, 0, 20, 100, 250),
    twice: mostly(draw, 0, 50, 300),
    delayMs: mostly(draw, 40, 400, 3_000),
    writeMs: mostly(draw, 5, 60, 600, 3_000, 12_000),
    submitMs: mostly(draw, 50, 700, 4_000),
    lagMs: mostly(draw, 30, 600, 4_000),
    unheard: mostly(draw, 0, 0, 100),
    skewMs: mostly(draw, 0, 500, 2_000),
    partitions: mostly(draw, 0, 1, 3),
    kills: mostly(draw, 0, 2, 6),
    deaths: mostly(draw, 0, 4, 20),
    faulty: mostly(draw, 0, 1, 2),
    successor: Number(draw.chance(0.2)),
  };
}

/** The scenario with settings of `--set name=value,…`. @throws RangeError for a name that is none. */
export function withSettings(scenario: Scenario, settings: Readonly<Partial<Record<Setting, number>>>): Scenario {
  for (const name of Object.keys(settings)) {
    if (!(name in CALM)) throw new RangeError(`there is no setting ${name}; there are ${Object.keys(CALM).join(", ")}`);
  }
  return { ...scenario, ...settings };
}
