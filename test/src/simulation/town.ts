import { SeededRandom, type Aggregator } from "@veilgrid/gateway";
import {
  LedgerView,
  VerifiedSignatures,
  periodStart,
  quorum,
  window,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import { EmbeddedBackend, RulesBackend } from "./backends.js";
import { Channel } from "./channel.js";
import { consortiumOf, type Consortium, type Home } from "./consortium.js";
import { Disk } from "./disk.js";
import { Draw, type Span } from "./draw.js";
import { Faults } from "./faults.js";
import type { LifeModules } from "./life.js";
import { Network, type Message } from "./network.js";
import { AS_IT_IS, type Plan } from "./plan.js";
import { approveNext } from "./operators.js";
import type { RealWork } from "./real-work.js";
import {
  LEAD_MS,
  MeterRole,
  aggregatorModules,
  controlCenterOf,
  enrolAll,
  kgcbpOf,
  type Ground,
  type KgcbpPlaces,
} from "./roles.js";
import type { Scenario } from "./scenario.js";
import { Seat, type SeatOptions } from "./seat.js";
import { MemoryContent, MemoryShelf } from "./stores.js";
import { Timeline } from "./timeline.js";

/** Faults last until so long after the last period is frozen. */
const UNTIL_CALM_MS = 60_000;
/** The run begins so long before the first epoch is sent. */
const AHEAD_MS = 120_000;

/** What a town tells. */
export interface TownListener {
  readonly onMessage: (message: Message) => void;
  readonly onFailure: LifeModules["onFailure"];
  readonly log: LifeModules["log"];
}

const upTo = (most: number): Span => [1, Math.max(1, most)];

/** All roles of a scenario, each on a machine of its own, on one virtual time. */
export class Town {
  readonly scenario: Scenario;
  readonly consortium: Consortium;
  readonly timeline: Timeline;
  readonly channel: Channel;
  readonly network: Network;
  readonly faults: Faults;
  readonly memory: VerifiedSignatures;
  readonly content = new MemoryContent();
  readonly start: number;
  readonly calmAt: number;
  readonly #seats: Seat[] = [];
  readonly #versions: Params[];
  readonly #disks = new Map<string, Disk>();
  readonly #ground: Ground;
  readonly #listener: TownListener;
  readonly #draw: Draw;
  readonly #close: () => Promise<void>;

  private constructor(
    consortium: Consortium,
    parts: { timeline: Timeline; backend: RulesBackend | EmbeddedBackend; memory: VerifiedSignatures; plan: Plan },
    listener: TownListener,
  ) {
    const { scenario, params, periods } = consortium;
    const { timeline, backend, memory } = parts;
    this.scenario = scenario;
    this.consortium = consortium;
    this.#versions = [params];
    this.timeline = timeline;
    this.memory = memory;
    this.start = timeline.now();
    this.calmAt = window(periods.at(-1) as Period, params).freezes + UNTIL_CALM_MS;
    this.#listener = listener;
    this.#draw = new Draw(`run ${scenario.seed}`);
    this.faults = new Faults(scenario, { timeline, draw: this.#draw.stream("faults") }, this.calmAt);
    const msps = [...params.da.map(({ msp }) => msp), "Kgcbp", "Cc"];
    const arePeersApart = this.#draw.stream("peers").chance(0.5);
    this.channel = new Channel(
      { msps, endorsing: params.da.map(({ msp }) => msp), needed: quorum(params.da.length) },
      {
        timeline,
        backend,
        draw: this.#draw.stream("ledger"),
        submitMs: upTo(scenario.submitMs),
        lagMs: upTo(scenario.lagMs),
        unheard: () => this.faults.chance("unheard"),
        isUp: (msp) => arePeersApart || this.#isUp(msp),
      },
    );
    this.network = new Network({
      timeline,
      draw: this.#draw.stream("network"),
      delayMs: upTo(scenario.delayMs),
      loss: () => this.faults.chance("loss"),
      twice: () => this.faults.chance("twice"),
      isCut: (a, b) => this.faults.isCut(a, b),
      onMessage: listener.onMessage,
    });
    const offsets = this.#draw.stream("clocks");
    const offset = scenario.skewMs;
    this.#ground = {
      consortium,
      channel: this.channel,
      network: this.network,
      memory,
      random: SeededRandom.of(scenario.seed),
      offsetOf: () => offsets.within([-offset, offset]),
    };
    this.#close = () => backend.close();
  }

  /** Everything in its place, set up and enrolled, with nobody started. */
  static async open(
    scenario: Scenario,
    modules: { readonly work: RealWork; readonly plan?: Plan } & TownListener,
  ): Promise<Town> {
    const consortium = await consortiumOf(scenario);
    const { params, periods } = consortium;
    const start = periodStart(periods[0] as Period, params.periodSeconds) - LEAD_MS - AHEAD_MS;
    const timeline = new Timeline(start, modules.work);
    const memory = new VerifiedSignatures(100_000);
    const plan = modules.plan ?? AS_IT_IS;
    const now = (): number => timeline.now();
    const backend =
      scenario.embedded > 0
        ? await EmbeddedBackend.open(params, { memory, work: modules.work, now })
        : new RulesBackend(params, memory, plan.rules);
    const town = new Town(consortium, { timeline, backend, memory, plan }, modules);
    await town.channel.setUp();
    await town.#furnish(plan);
    return town;
  }

  close(): Promise<void> {
    return this.#close();
  }

  get seats(): readonly Seat[] {
    return this.#seats;
  }

  /** The disk of a role by its name. */
  disk(name: string): Disk {
    return this.#disks.get(name) as Disk;
  }

  /** An organisation's view of the ledger. */
  view(msp: string): LedgerView {
    return new LedgerView(this.channel.replica(msp));
  }

  isHonest(name: string): boolean {
    return ![...this.consortium.hostile].some((da) => name === `da/Da${da}`);
  }

  /** The aggregator of a seat, while its process runs. */
  aggregator(da: number): Aggregator | undefined {
    return this.#seats.find(({ name }) => name === `da/Da${da}`)?.role as Aggregator | undefined;
  }

  /** Starts everybody and draws the faults. */
  begin(): void {
    for (const seat of this.#seats) this.timeline.at(this.start, `${seat.name} starts`, () => seat.start());
    this.faults.schedule(this.#seats, this.start);
    if (this.scenario.successor > 0) this.#succeed();
  }

  /** All versions of the parameter set that the run has, the first one first. */
  get versions(): readonly Params[] {
    return this.#versions;
  }

  #succeed(): void {
    const das = this.#seats.filter(({ name }) => name.startsWith("da/"));
    const modules = { timeline: this.timeline, draw: this.#draw.stream("operators"), das };
    this.#versions.push(approveNext(this.consortium, modules, [this.start, this.calmAt]));
  }

  #isUp(msp: string): boolean {
    const name = msp.startsWith("Da") ? `da/${msp}` : msp.toLowerCase();
    return this.#seats.find((seat) => seat.name === name)?.life !== undefined;
  }

  #newDisk(name: string): Disk {
    const { timeline, scenario } = this;
    const disk = new Disk({
      timeline,
      draw: this.#draw.stream(`disk ${name}`),
      writeMs: upTo(scenario.writeMs),
      death: this.faults.death,
      kill: (life) => {
        this.#seats.find((seat) => seat.life === life)?.kill(life);
      },
    });
    this.#disks.set(name, disk);
    return disk;
  }

  #sit(options: SeatOptions, disks: readonly Disk[]): void {
    const { timeline, network, channel } = this;
    const { onFailure, log } = this.#listener;
    const onDeath = this.faults.revive;
    this.#seats.push(new Seat(options, { timeline, network, channel, disks, onDeath, onFailure, log }));
  }

  async #furnish(plan: Plan): Promise<void> {
    const { das } = this.scenario;
    for (let da = 0; da < das; da += 1) this.#sitAggregator(da, plan);
    const [keys, work] = [this.#newDisk("kgcbp keys"), this.#newDisk("kgcbp")];
    const places: KgcbpPlaces = { keys, work, shelf: new MemoryShelf(), content: this.content };
    await enrolAll(this.consortium, places);
    const ground = this.#ground;
    this.#sit({ name: "kgcbp", msp: "Kgcbp", make: (life) => kgcbpOf(plan.kgcbp(ground), life, places) }, [keys, work]);
    this.#sit({ name: "cc", msp: "Cc", make: (life) => controlCenterOf(ground, life) }, []);
    for (const home of this.consortium.homes) this.#sitMeter(home);
  }

  #sitAggregator(da: number, plan: Plan): void {
    const name = `da/Da${da}`;
    const disk = this.#newDisk(name);
    const make = plan.aggregator(this.consortium.hostile.has(da));
    const ground = this.#ground;
    this.#sit(
      {
        name,
        msp: `Da${da}`,
        make: (life) => {
          const modules = aggregatorModules(ground, life, da, disk.store(life));
          return Promise.resolve(make({ da, modules, ground, life }));
        },
      },
      [disk],
    );
  }

  #sitMeter(home: Home): void {
    const name = `meter/${home.name}`;
    const disk = this.#newDisk(name);
    const make: SeatOptions["make"] = (life) =>
      Promise.resolve(new MeterRole(this.#ground, life, home, disk.store(life)));
    this.#sit({ name, make }, [disk]);
  }
}
