import {
  addPeriods,
  compareBytes,
  concat,
  decodeLeaf,
  electionCodec,
  encodeSigned,
  isVeilgridError,
  KIND,
  maskCodec,
  NO_PERIOD,
  proposalCodec,
  readingHash,
  schnorr,
  sha256,
  signStruct,
  timeoutCodec,
  toHex,
  utf8,
  type Period,
} from "@veilgrid/protocol";
import { encodeTransaction, type Call, type Method, type Packet, type Run, type World } from "@veilgrid/gateway";
import { SMALL } from "./honest.js";
import { MeterKeys } from "./meter-keys.js";
import { Stranger, type Asked } from "./stranger.js";
import { wiretap } from "./wiretap.js";

/** What was asked, by what it is. */
export type Attempts = Record<string, Asked>;

/** A key that nobody registered. */
const HOSTILE = sha256(utf8("the stranger's key"));
const NOBODY = { secret: HOSTILE, prid: schnorr.publicKey(HOSTILE) };

/** The period of the small run in whose window readings are attacked, counted from its first. */
const AT = 3;

function turned(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[copy.length - 1] = (copy[copy.length - 1] as number) ^ 1;
  return copy;
}

function inBundle(readings: readonly Uint8Array[]): Uint8Array {
  return concat(...[...readings].sort((a, b) => compareBytes(readingHash(a), readingHash(b))));
}

function submission(name: string, transient: Record<string, Uint8Array>): Call {
  return { name, args: [toHex(sha256(...Object.values(transient)))], transient };
}

/** What the contract says to a call. */
async function verdict(done: Promise<unknown>): Promise<string> {
  try {
    await done;
    return "accepted";
  } catch (error) {
    if (!isVeilgridError(error)) throw error;
    return String(error.facts.contract);
  }
}

/** What somebody tries who sees all of the network, has broken into one meter and speaks in anybody's name. */
export class Attack {
  readonly stranger: Stranger;
  readonly #run: Run;
  readonly #world: World;
  readonly #keys: MeterKeys;
  readonly #consortium: Uint8Array;
  readonly #packets: Packet[];

  private constructor(run: Run, world: World, consortium: Uint8Array) {
    this.stranger = new Stranger(world);
    this.#run = run;
    this.#world = world;
    this.#keys = new MeterKeys(run, consortium);
    this.#consortium = consortium;
    this.#packets = wiretap(world.network, ["forward", "transaction", "propose", "lists"]);
  }

  /** Gets ready to attack the small run, from its beginning. */
  static async on(run: Run, world: World): Promise<Attack> {
    return new Attack(run, world, await world.view.consortium());
  }

  /** The period in whose window readings are attacked. */
  get period(): Period {
    return this.#nth(AT);
  }

  #nth(n: number): Period {
    const { first, periodSeconds } = this.#run.record.input;
    return addPeriods(first, n, periodSeconds);
  }

  /** What the meter of the first home, in region 1, says for the period: both halves. */
  get #said(): readonly [Uint8Array, Uint8Array] {
    const [first] = SMALL.wattHours() as [bigint[]];
    return this.#keys.readings(0, this.period, first[AT] as bigint);
  }

  /** What comes before the window opens. */
  early(heard: Attempts): void {
    heard["before its window"] = this.stranger.ask(0, "reading", this.#said[0]);
  }

  /** What comes after the window. */
  late(name: string, heard: Attempts): void {
    heard[name] = this.stranger.ask(0, "reading", this.#said[0]);
  }

  /** What comes at the window's end, when the readings of the period are in. */
  readings(heard: Attempts): void {
    const ask = (name: string, bytes: Uint8Array): void => {
      heard[name] = this.stranger.ask(2, "reading", bytes);
    };
    const { period } = this;
    const [good] = this.#said;
    const [half] = this.#keys.halves(0, period);
    const [next] = this.#keys.halves(0, this.#nth(AT + 1));
    const [neighbour] = this.#keys.halves(1, period);
    ask("with a forged signature", turned(good));
    ask("under another period's PRID", this.#keys.sign(1, period, next, 5n));
    ask("under another region's PRID", this.#keys.sign(1, period, neighbour, 5n));
    ask("under a key of nobody", this.#keys.sign(1, period, NOBODY, 5n));
    ask("of a region without an epoch", this.#keys.sign(3, period, half, 5n));
    ask("of another consortium", new MeterKeys(this.#run, sha256(utf8("another"))).sign(1, period, half, 5n));
    ask("a duplicate", good);
    ask("a changed duplicate", this.#keys.sign(1, period, half, 5n));
  }

  /** Before the third home's meter says anything, two values under its first PRID, each to another aggregator at once. */
  twice(heard: Attempts): void {
    const [half] = this.#keys.halves(2, this.period);
    heard["the one value"] = this.stranger.ask(0, "reading", this.#keys.sign(1, this.period, half, 5n));
    heard["the other value"] = this.stranger.ask(1, "reading", this.#keys.sign(1, this.period, half, 6n));
  }

  /** Bundles in the name of da/3. */
  bundles(heard: Attempts): void {
    const [good, second] = this.#said;
    const forged = [turned(second), this.#keys.sign(1, this.period, NOBODY, 5n)];
    heard["a batch with one good reading"] = this.stranger.ask(1, "forward", inBundle([good, ...forged]), "da/DA3MSP");
    heard["a batch of forgeries"] = this.stranger.ask(1, "forward", turned(second), "da/DA3MSP");
  }

  /** Bytes that are no message: garbage, and real ones that are cut or go on, by method. */
  nonsense(malformed: Record<string, Asked[]>): void {
    const methods: readonly Method[] = [
      "reading",
      "forward",
      "propose",
      "bodies",
      "timeout",
      "elect",
      "transaction",
      "lists",
    ];
    for (const method of methods) {
      const [real] = this.#packets.filter((packet) => packet.method === method && packet.direction === "request");
      const spoilt = real === undefined ? [] : [real.bytes.subarray(0, -1), concat(real.bytes, Uint8Array.of(0))];
      const garbage = [new Uint8Array(7).fill(0xff), utf8("a message of no kind at all"), ...spoilt];
      // Who may ask: what anybody else gets is another test's.
      const as = method === "transaction" ? "kgcbp" : "da/DA3MSP";
      malformed[method] = garbage.map((bytes) => this.stranger.ask(1, method, bytes, as));
    }
  }

  /** Messages that are well formed and signed by whom they should not be, or say what was said otherwise before. */
  async forgeries(heard: Attempts): Promise<void> {
    const ask = (name: string, method: Method, bytes: Uint8Array, as: string): void => {
      heard[name] = this.stranger.ask(1, method, bytes, as);
    };
    const isMask = ({ method, bytes }: Packet): boolean => method === "transaction" && bytes[0] === KIND.masks;
    const { bytes } = this.#packets.find(isMask) as Packet;
    ask("a mask release that KGCBP did not sign", "transaction", turned(bytes), "kgcbp");
    const leaf = await this.#secondRelease();
    const second = encodeTransaction({ kind: KIND.masks, leaf });
    ask("a second mask release with another Z", "transaction", second, "kgcbp");
    const timeout = { params: 1, term: 1n, da: 0 };
    ask(
      "a timeout that nobody signed",
      "timeout",
      encodeSigned(signStruct("timeout", this.#consortium, timeoutCodec, timeout, HOSTILE)),
      "da/DA0MSP",
    );
    const { term } = await this.#world.view.term();
    const ballot = { params: 1, term: term + 1n, candidate: 0, voter: 0 };
    ask(
      "a candidate who is no aggregator",
      "elect",
      encodeSigned(signStruct("election", this.#consortium, electionCodec, ballot, HOSTILE)),
      "da/DA0MSP",
    );
    ask("a proposal of somebody who does not lead", "propose", await this.#usurping(term, leaf), "da/DA0MSP");
  }

  /** What is on the ledger of the attacked period in region 1: leaves of its block, and PRIDs that its release excludes. */
  async onLedger(): Promise<{ readonly leaves: number; readonly excluded: number }> {
    const { view } = this.#world;
    const [readings, release] = [await view.readings(1, this.period), await view.mask(1, this.period)];
    if (readings === undefined || release === undefined) throw new Error("the period is not released yet");
    const committed = await view.block(0, release.number);
    const { body } = decodeLeaf(committed?.block.leaves[release.index] as Uint8Array);
    return { leaves: readings.count, excluded: maskCodec.decode(body).excluded.length };
  }

  /** Rightly signed: KGCBP itself would be hostile. A second Z would unmask by subtraction. */
  async #secondRelease(): Promise<Uint8Array> {
    const period = this.#nth(1);
    const readings = await this.#world.view.readings(1, period);
    if (readings === undefined) throw new Error("the period has no block yet");
    const mask = { region: 1, period, cbh: readings.cbh, status: 1, z: 1n, excluded: [] } as const;
    return encodeSigned(signStruct("mask", this.#consortium, maskCodec, mask, this.#run.keys.kgcbp.secret));
  }

  /** A proposal for chain 0 by whoever has the key HOSTILE. */
  async #usurping(term: bigint, leaf: Uint8Array): Promise<Uint8Array> {
    const { view, clock } = this.#world;
    const { number, cbh } = await view.head(0);
    const header = {
      consortium: this.#consortium,
      region: 0,
      kind: KIND.masks,
      number: number + 1n,
      prev: cbh,
      root: new Uint8Array(32),
      count: 1,
      params: 1,
      term,
      round: 0,
      period: NO_PERIOD,
      aggFault: false,
      leader: NOBODY.prid,
      ts: BigInt(clock.now()),
    };
    const proposal = { header, scbh: new Uint8Array(64), leaves: [leaf] };
    return encodeSigned(signStruct("proposal", this.#consortium, proposalCodec, proposal, HOSTILE));
  }

  /** Calls of the ledger by whom they are not for, with bytes that were good once. */
  async ledger(outcomes: Record<string, string>): Promise<void> {
    const { ledger, view } = this.#world;
    const committed = await view.block(1, 2n);
    const { term } = await view.term();
    const cert = await view.election(term);
    if (committed === undefined || cert === undefined) throw new Error("nothing is committed yet");
    const block = submission("submitBlock", { block: committed.bytes, cert: committed.cert });
    const as = (msp: string, call: Call): Promise<string> => verdict(ledger.as({ msp }).submit(call));
    outcomes["a committed block again, by a stranger"] = await as("StrangerMSP", block);
    outcomes["a committed block again, by the control center"] = await as("CCMSP", block);
    outcomes["a committed block again, by an aggregator"] = await as("DA0MSP", block);
    outcomes["a committed certificate again, by an aggregator"] = await as(
      "DA0MSP",
      submission("submitElection", { cert }),
    );
    outcomes["set-up again, by an aggregator"] = await as("DA0MSP", { name: "setup", args: [] });
    const query = { name: "consortium", args: [] };
    outcomes["a query by a stranger"] = await verdict(ledger.as({ msp: "StrangerMSP" }).evaluate(query));
    outcomes["a query by the control center"] = await verdict(ledger.as({ msp: "CCMSP" }).evaluate(query));
  }
}
