import {
  addPeriods,
  comparePeriods,
  isVeilgridError,
  periodStart,
  sha256,
  toHex,
  utf8,
  type Period,
} from "@veilgrid/protocol";
import { schedule, type StoredChain } from "@veilgrid/meter-client";
import { expect } from "chai";
import fc from "fast-check";
import type { ChangeRequest, Decision, SentEpoch, Standing } from "../../src/kgcbp/change-request.js";
import { decide, decidedBefore } from "../../src/kgcbp/changes.js";
import type { StoredKeys } from "../../src/kgcbp/keys.js";
import { nextSpan } from "../../src/kgcbp/plan.js";
import { Register } from "../../src/kgcbp/register.js";
import type { Enrolment, MeterChange } from "../../src/ports/keystore.js";
import { paramsOf } from "../support/committee.js";
import { keysOf } from "../support/sealed.js";

const MARCH = 12 * 2026 + 2;
const PERIOD_SECONDS = 1800;
const params = paramsOf();
const START: Period = { month: MARCH, k: 1440 };
const CONSORTIUM = new Uint8Array(32);
/** The nth period from 31 March on. */
const at = (n: number): Period => addPeriods(START, n, PERIOD_SECONDS);
const hash = (text: string): Uint8Array => sha256(utf8(text));
const bidOf = (name: string): Uint8Array => hash(`bid ${name}`).subarray(0, 16);
const deviceOf = (name: string): string => `age1${toHex(hash(name)).slice(0, 58)}`;

function supply(change: Partial<Enrolment> = {}): Enrolment {
  const names = { meter: "M", bid: bidOf("M"), recipient: "age1customer", device: deviceOf("M") };
  return { ...names, region: 1, from: at(0), to: undefined, ...change };
}

function standing(change: Partial<Standing> = {}): Standing {
  return {
    periodSeconds: PERIOD_SECONDS,
    next: at(5),
    supplies: [supply()],
    changes: [],
    device: deviceOf("M"),
    sent: [],
    knows: () => false,
    ...change,
  };
}

const sentEpoch = (region: number, from: number, periods: number): SentEpoch => ({ region, first: at(from), periods });

function codeOf(request: ChangeRequest, change: Partial<Standing> = {}): string {
  try {
    decide(request, standing(change));
    return "decided";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

const rekey = (change: Partial<ChangeRequest & { kind: "rekey" }> = {}): ChangeRequest => ({
  kind: "rekey",
  meter: "M",
  compromised: false,
  ...change,
});
const buyer = { bid: bidOf("buyer"), recipient: "age1buyer" };
const addition: ChangeRequest = { kind: "add", meter: "N", region: 2, device: deviceOf("N"), ...buyer };
const fresh = { kind: "replace", meter: "M", device: deviceOf("new"), key: "fresh" } as const;

describe("a change of a meter", () => {
  it("holds from the first period that no sent epoch of the regions concerned has, nor any that has begun", () => {
    const sent = [sentEpoch(1, 0, 12), sentEpoch(2, 0, 30), sentEpoch(2, 30, 18)];
    const from = (request: ChangeRequest): Period => {
      const supplies = request.meter === "M" ? [supply()] : [];
      return decide(request, standing({ sent, supplies })).preview.from;
    };
    expect(from(rekey())).to.deep.equal(at(12));
    expect(from({ kind: "move", meter: "M", region: 2 })).to.deep.equal(at(48));
    expect(from({ kind: "move", meter: "M", region: 3 })).to.deep.equal(at(12));
    expect(from({ kind: "sell", meter: "M", ...buyer })).to.deep.equal(at(12));
    expect(from({ kind: "remove", meter: "M" })).to.deep.equal(at(12));
    expect(from(addition)).to.deep.equal(at(48));
    expect(from({ ...fresh, compromised: false })).to.deep.equal(at(12));
    // Under the key that is there nothing changes that an epoch says.
    expect(from({ ...fresh, key: "kept", compromised: false })).to.deep.equal(at(5));
    expect(decide(rekey(), standing()).preview.from).to.deep.equal(at(5));
    expect(from(rekey({ at: at(20) }))).to.deep.equal(at(20));
  });

  it("shows what is sent and what becomes of the time until then", () => {
    const sent = [sentEpoch(1, 0, 12), sentEpoch(2, 0, 30)];
    const { preview } = decide(rekey({ compromised: true }), standing({ sent }));
    expect(preview).to.deep.equal({
      kind: "rekey",
      meter: "M",
      from: at(12),
      regions: [1],
      sent: [sentEpoch(1, 0, 12)],
      until: { from: at(5), to: at(12), meanwhile: "missing" },
    });
    const meanwhile = (request: ChangeRequest): string => {
      const supplies = request.meter === "M" ? [supply()] : [];
      return decide(request, standing({ sent, supplies })).preview.until.meanwhile;
    };
    expect(meanwhile(rekey())).to.equal("counted");
    expect(meanwhile({ ...fresh, compromised: false })).to.equal("counted");
    expect(meanwhile({ ...fresh, compromised: true })).to.equal("missing");
    expect(meanwhile({ kind: "sell", meter: "M", ...buyer })).to.equal("counted");
    expect(meanwhile(addition)).to.equal("unsupplied");
  });

  it("is refused by code where it cannot be", () => {
    const sent = [sentEpoch(1, 0, 12)];
    const codes = {
      "into a sent epoch": codeOf(rekey({ at: at(11) }), { sent }),
      "into a period that has begun": codeOf(rekey({ at: at(4) }), { sent }),
      "from when the last one began": codeOf(rekey({ at: at(9) }), { supplies: [supply({ from: at(9) })] }),
      "of nobody's meter": codeOf({ kind: "remove", meter: "X" }, { supplies: [] }),
      "after the supply": codeOf(rekey({ at: at(9) }), { supplies: [supply({ to: at(9) })] }),
      "to its own region": codeOf({ kind: "move", meter: "M", region: 1 }),
      "to its own device": codeOf({ ...fresh, device: deviceOf("M"), compromised: false }),
      "to a customer who is one": codeOf({ kind: "sell", meter: "M", ...buyer }, { knows: () => true }),
      "adding what is there": codeOf({ ...addition, meter: "M" }),
      "keeping a key that is out": codeOf({ ...fresh, key: "kept", compromised: true }),
      "of a meter that is no known device": codeOf(rekey(), { device: undefined }),
    };
    expect(codes).to.deep.equal({
      "into a sent epoch": "period-sent",
      "into a period that has begun": "too-early",
      "from when the last one began": "too-early",
      "of nobody's meter": "unknown-meter",
      "after the supply": "supply-ended",
      "to its own region": "same-region",
      "to its own device": "same-device",
      "to a customer who is one": "known-customer",
      "adding what is there": "known-meter",
      "keeping a key that is out": "kept-and-compromised",
      "of a meter that is no known device": "no-device",
    });
  });

  it("tells a new device the present key until the fresh one holds, unless somebody else may have it", () => {
    const sent = [sentEpoch(1, 0, 12)];
    const told = (request: ChangeRequest): unknown => {
      const { delivery } = decide(request, standing({ sent })).change;
      return [
        delivery?.keep,
        delivery?.device,
        delivery?.chains.map(({ first, enrolment }) => [first, enrolment.from]),
      ];
    };
    const present = [at(5), at(0)];
    const next = [at(12), at(12)];
    expect(told({ ...fresh, compromised: false })).to.deep.equal([false, deviceOf("new"), [present, next]]);
    expect(told({ ...fresh, compromised: true })).to.deep.equal([false, deviceOf("new"), [next]]);
    expect(told({ ...fresh, key: "kept", compromised: false })).to.deep.equal([false, deviceOf("new"), [present]]);
    expect(told(rekey())).to.deep.equal([true, deviceOf("M"), [next]]);
    expect(told(rekey({ compromised: true }))).to.deep.equal([false, deviceOf("M"), [next]]);
  });

  it("never brings back a key that is out, neither to a new device nor where the word of it was lost", () => {
    const sent = [sentEpoch(1, 0, 12)];
    const out = decide(rekey({ compromised: true }), standing({ sent }));
    const after = { sent, supplies: [supply(), out.begins as Enrolment], changes: [out.change] };
    const told = (request: ChangeRequest, next = at(5)): unknown => {
      const { delivery } = decide(request, standing({ ...after, next })).change;
      return [delivery?.keep, delivery?.chains.map(({ first, enrolment }) => [first.k, enrolment.from.k])];
    };
    const [first, second] = [START.k + 12, START.k + 13];
    const chains = [
      [first, first],
      [second, second],
    ];
    expect(told({ ...fresh, compromised: false })).to.deep.equal([false, chains]);
    expect(told({ kind: "sell", meter: "M", ...buyer })).to.deep.equal([false, chains]);
    // Once the new key holds it is the present one.
    expect(told({ kind: "sell", meter: "M", ...buyer }, at(12))).to.deep.equal([true, [[second, second]]]);
    const kept = { ...fresh, key: "kept", compromised: false } as const;
    expect(told(kept)).to.deep.equal([false, [[first, first]]]);
    // A supply that has not begun yet has the key that is out, too.
    const early = decide(rekey({ compromised: true, at: at(12) }), standing({ supplies: [supply({ from: at(8) })] }));
    const supplies = [supply({ from: at(8) }), early.begins as Enrolment];
    const { delivery } = decide(
      { kind: "sell", meter: "M", ...buyer },
      standing({ supplies, changes: [early.change] }),
    ).change;
    expect(delivery?.chains.map((chain) => chain.first)).to.deep.equal([at(12), at(13)]);
  });

  it("asked for again is the same one; a re-key can be asked for anew once it holds, or if the key is out now", () => {
    const first = decide(rekey(), standing());
    const after = { supplies: [supply(), first.begins as Enrolment], changes: [first.change] };
    expect(decidedBefore(rekey(), standing(after))).to.equal(first.change);
    expect(decidedBefore(rekey({ at: at(5) }), standing(after))).to.equal(first.change);
    expect(decidedBefore(rekey({ at: at(6) }), standing(after))).to.equal(undefined);
    expect(decidedBefore(rekey({ compromised: true }), standing(after))).to.equal(undefined);
    expect(decidedBefore(rekey(), standing({ ...after, next: at(6) }))).to.equal(undefined);
    const sale = decide({ kind: "sell", meter: "M", ...buyer }, standing());
    const sold = { supplies: [supply(), sale.begins as Enrolment], changes: [sale.change], next: at(99) };
    expect(decidedBefore({ kind: "sell", meter: "M", ...buyer }, standing(sold))).to.equal(sale.change);
    const other = { kind: "sell", meter: "M", bid: bidOf("third"), recipient: "age1third" } as const;
    expect(decidedBefore(other, standing(sold))).to.equal(undefined);
  });
});

/** One step of a random history. */
interface Step {
  readonly meter: number;
  readonly kind: ChangeRequest["kind"];
  readonly region: number;
  readonly flag: boolean;
  /** Periods that pass before it. */
  readonly pause: number;
  /** Whether the meter hears of it. */
  readonly heard: boolean;
}

const METERS = 4;
const REGIONS = [1, 2, 3];
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    meter: fc.nat(METERS - 1),
    kind: fc.constantFrom("add", "remove", "replace", "move", "sell", "rekey"),
    region: fc.constantFrom(...REGIONS),
    flag: fc.boolean(),
    pause: fc.nat(30),
    heard: fc.boolean(),
  }),
  { maxLength: 14 },
);

/** A history of changes, with epochs sent as KGCBP sends them. */
class History {
  readonly sent: (SentEpoch & { readonly members: readonly string[] })[] = [];
  /** What each device has, by recipient, and the periods in which it must be silent. */
  readonly devices = new Map<string, { chains: StoredChain[]; since: Period }>();
  readonly silent = new Set<string>();
  /** By meter: what it was not told, the oldest first. */
  readonly #unheard = new Map<string, MeterChange[]>();
  readonly keys: StoredKeys;
  readonly register: Register;
  now = 0;
  #drawn = 0;

  private constructor(keys: StoredKeys, register: Register) {
    this.keys = keys;
    this.register = register;
  }

  static async begin(): Promise<History> {
    const keys = await keysOf(CONSORTIUM);
    const history = new History(keys, await Register.open(keys));
    await history.#begin();
    return history;
  }

  async #begin(): Promise<void> {
    for (let i = 0; i < METERS - 1; i += 1) {
      const meter = `M${i}`;
      const enrolment = supply({ meter, bid: bidOf(meter), device: deviceOf(meter), region: 1 + (i % 2) });
      const monthKey = hash(`key of ${meter}`);
      await this.register.enrol(enrolment, monthKey);
      const oldest = { month: MARCH, key: monthKey };
      this.devices.set(deviceOf(meter), { chains: [{ region: enrolment.region, first: at(0), oldest }], since: at(0) });
    }
  }

  /** Sends what is due up to 12 hours ahead. */
  send(): void {
    const time = periodStart(at(this.now), PERIOD_SECONDS);
    for (const region of REGIONS) {
      for (;;) {
        const last = this.sent.filter((epoch) => epoch.region === region).at(-1);
        const covered = last && addPeriods(last.first, last.periods - 1, PERIOD_SECONDS);
        const span = nextSpan(this.register, region, covered, time, params);
        if (span === undefined || periodStart(span.first, PERIOD_SECONDS) - 12 * 3_600_000 > time) break;
        this.sent.push({ region, ...span, members: this.members(region, span.first) });
      }
    }
  }

  members(region: number, period: Period): string[] {
    return this.register.membersAt(region, period).map(({ meter, bid, from }) => `${meter} ${toHex(bid)} ${from.k}`);
  }

  #request({ meter, kind, region, flag }: Step): ChangeRequest {
    this.#drawn += 1;
    const name = `M${meter}`;
    const [device, customer] = [
      deviceOf(`device ${this.#drawn}`),
      { bid: bidOf(`bid ${this.#drawn}`), recipient: "age1" },
    ];
    switch (kind) {
      case "add":
        return { kind, meter: name, region, device, ...customer };
      case "replace":
        return { kind, meter: name, device, key: flag ? "kept" : "fresh", compromised: !flag && region === 1 };
      case "move":
        return { kind, meter: name, region };
      case "sell":
        return { kind, meter: name, ...customer };
      case "rekey":
        return { kind, meter: name, compromised: flag };
      case "remove":
        return { kind, meter: name };
    }
  }

  #standing(meter: string): Standing {
    const [supplies, changes] = [this.register.suppliesAt(meter), this.register.changesOf(meter)];
    const told = changes.findLast(({ delivery }) => delivery !== undefined)?.delivery;
    const open = ({ first, periods }: SentEpoch): boolean =>
      comparePeriods(addPeriods(first, periods, PERIOD_SECONDS), at(this.now)) > 0;
    return standing({
      next: at(this.now),
      supplies,
      changes,
      device: told?.device ?? supplies.at(-1)?.device,
      sent: this.sent.filter(open),
    });
  }

  /** The change, or nothing where it is refused; then nothing has changed. */
  async step(step: Step): Promise<Decision | undefined> {
    this.now += step.pause;
    this.send();
    const request = this.#request(step);
    await this.makeGood(request.meter);
    let decision: Decision;
    try {
      decision = decide(request, this.#standing(request.meter));
    } catch (error) {
      if (isVeilgridError(error)) return undefined;
      throw error;
    }
    const { change, begins, ends } = decision;
    const monthKey = hash(`fresh key ${this.#drawn}`);
    await this.register.change({ change, begins: begins && { enrolment: begins, monthKey }, ends });
    if (decision.preview.until.meanwhile === "missing") this.#silence(request.meter, decision.preview.until);
    // A new device is installed with its delivery in hand.
    await this.#tell(change, step.heard || request.kind === "add" || request.kind === "replace");
    this.send();
    return decision;
  }

  async #tell(change: MeterChange, isHeard: boolean): Promise<void> {
    const { meter, delivery } = change;
    if (delivery === undefined) return;
    if (isHeard) {
      this.#unheard.delete(meter);
      await this.#deliver(change);
    } else {
      this.#unheard.set(meter, [...(this.#unheard.get(meter) ?? []), change]);
    }
  }

  /** Tells a meter what it was not told, once some of it holds: the next delivery would not have that. */
  async makeGood(meter: string): Promise<void> {
    const unheard = this.#unheard.get(meter) ?? [];
    const holds = ({ delivery }: MeterChange): boolean =>
      comparePeriods(delivery?.chains[0]?.first ?? at(this.now), at(this.now)) <= 0;
    if (!unheard.some(holds)) return;
    for (const change of unheard) await this.#deliver(change);
    this.#unheard.delete(meter);
  }

  /** The last word of a meter arrives: it makes good what was lost of what does not hold yet. */
  async lastWord(meter: string): Promise<void> {
    await this.makeGood(meter);
    const last = this.#unheard.get(meter)?.at(-1);
    if (last !== undefined) await this.#deliver(last);
  }

  #silence(meter: string, { from, to }: { readonly from: Period; readonly to: Period }): void {
    for (let p = from; comparePeriods(p, to) < 0; p = addPeriods(p, 1, PERIOD_SECONDS)) {
      this.silent.add(`${meter} ${p.month} ${p.k}`);
    }
  }

  async #deliver({ meter, serial, delivery }: MeterChange): Promise<void> {
    if (delivery === undefined) return;
    const { device, keep } = delivery;
    const chains = [];
    for (const { enrolment, first } of delivery.chains) {
      const ruling = this.register.get(enrolment);
      chains.push({ region: ruling.region, first, key: await this.keys.monthKey(ruling, first.month) });
    }
    const known = this.devices.get(device);
    const body = { consortium: CONSORTIUM, params: 1, meter, device, serial, keep, chains };
    const first = delivery.chains[0]?.first as Period;
    this.devices.set(device, { chains: schedule(known?.chains ?? [], body), since: known?.since ?? first });
  }
}

/** The key chain that a list of chains has for a period. */
function ruling(chains: readonly StoredChain[], period: Period): StoredChain | undefined {
  return chains.findLast(({ first }) => comparePeriods(first, period) <= 0);
}

describe("any history of changes", function () {
  this.timeout(120_000);

  it("leaves each supplied period of each meter to exactly one supply in one region, and what was sent as it was", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const world = await History.begin();
        for (const step of history) await world.step(step);
        world.now += 48;
        world.send();
        for (const { region, first, periods, members } of world.sent) {
          for (let i = 0; i < periods; i += 1) {
            expect(world.members(region, addPeriods(first, i, PERIOD_SECONDS))).to.deep.equal(members);
          }
        }
        for (let n = 0; n < world.now; n += 1) {
          const counted = REGIONS.flatMap((region) => world.register.membersAt(region, at(n)));
          const meters = counted.map(({ meter }) => meter);
          expect(new Set(meters).size, `twice at period ${n}`).to.equal(meters.length);
          const supplied = world.register.meters().filter((meter) => isSupplied(world.register, meter, at(n)));
          expect(meters.sort(), `period ${n}`).to.deep.equal(supplied.sort());
        }
      }),
      { numRuns: 60 },
    );
  });

  it("has each meter use the keys that the epochs list it under, also where deliveries were lost in between", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const world = await History.begin();
        for (const step of history) await world.step(step);
        for (const meter of world.register.meters()) {
          await world.lastWord(meter);
          await expectKeys(world, meter);
        }
      }),
      { numRuns: 60 },
    );
  });
});

function isSupplied(register: Register, meter: string, period: Period): boolean {
  const supply = register.suppliesAt(meter).findLast(({ from }) => comparePeriods(from, period) <= 0);
  return supply !== undefined && (supply.to === undefined || comparePeriods(period, supply.to) < 0);
}

/** What the meter's present device has. */
function deviceAt(world: History, meter: string): { chains: StoredChain[]; since: Period } | undefined {
  const told = world.register.changesOf(meter).findLast(({ delivery }) => delivery !== undefined)?.delivery;
  return world.devices.get(told?.device ?? world.register.suppliesAt(meter)[0]?.device ?? "");
}

/** Whether a meter's readings of a period are due from the device that came at `since`. */
function isDue({ silent, register }: History, meter: string, period: Period, since: Period): boolean {
  if (silent.has(`${meter} ${period.month} ${period.k}`) || comparePeriods(period, since) < 0) return false;
  return isSupplied(register, meter, period);
}

/** Holds the keys of the device that a meter is in the end to what the register says, in the periods from now on. */
async function expectKeys(world: History, meter: string): Promise<void> {
  const { chains, since } = deviceAt(world, meter) ?? { chains: [], since: START };
  const supplies = world.register.suppliesAt(meter);
  for (let n = world.now; n < world.now + 60; n += 1) {
    const period = at(n);
    // Keys that are out are never used again.
    if (world.silent.has(`${meter} ${period.month} ${period.k}`)) expect(ruling(chains, period)).to.equal(undefined);
    if (!isDue(world, meter, period, since)) continue;
    const supply = supplies.findLast(({ from }) => comparePeriods(from, period) <= 0) as Enrolment;
    const chain = ruling(chains, period);
    expect(chain?.region, `${meter}, period ${n}`).to.equal(supply.region);
    const key = await world.keys.monthKey(supply, chain?.oldest.month ?? 0);
    expect(toHex(chain?.oldest.key ?? CONSORTIUM), `${meter}, period ${n}`).to.equal(toHex(key));
  }
}
