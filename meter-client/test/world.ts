import { createHmac } from "node:crypto";
import {
  ANSWER,
  H2,
  MerkleTree,
  VeilgridError,
  READING_BYTES,
  Writer,
  ackCodec,
  answerCodec,
  compareBytes,
  concat,
  consortiumId,
  deliveryCodec,
  encodeReceipt,
  encodeSigned,
  paramsCodec,
  paramsDefaults,
  quorum,
  readingCodec,
  readingHash,
  schnorr,
  signStruct,
  toHex,
  utf8,
  window,
  type AnswerName,
  type Delivery,
  type Params,
  type ReceiptEntry,
} from "@veilgrid/protocol";
import type {
  MeterChange,
  MeterClock,
  MeterOpener,
  MeterRandom,
  MeterStore,
  MeterTimer,
  MeterTransport,
} from "../src/ports.js";

const secretOf = (name: string): Uint8Array => H2(utf8(name));
const member = (name: string): { msp: string; key: Uint8Array } => ({
  msp: name,
  key: schnorr.publicKey(secretOf(name)),
});

/** A parameter set of `das` aggregators with the defaults. */
export function paramsOf(das: number): Params {
  return {
    ...paramsDefaults,
    version: 1,
    channel: "veilgrid",
    da: Array.from({ length: das }, (_, i) => member(`da${i}`)),
    cc: member("cc"),
    kgcbp: member("kgcbp"),
  };
}

export const PARAMS = paramsOf(4);
export const CONSORTIUM = consortiumId(paramsCodec.encode(PARAMS));

/** What deliveries of these tests are addressed to. */
export const ENROLLED = { meter: "meter 7", device: `age1${"q".repeat(58)}` };

/** What a delivery names where a test does not say otherwise. */
const DELIVERY: Omit<Delivery, "chains"> = { ...ENROLLED, consortium: CONSORTIUM, params: 1, serial: 1, keep: true };

/** Delivery ‖ sig by the holder of a key, "encrypted" to the device by its name in front: no age is needed to see who opens what. */
export function delivered(
  change: Partial<Delivery> & Pick<Delivery, "chains">,
  { signer = "kgcbp", to = ENROLLED.device }: { signer?: string; to?: string } = {},
): Uint8Array {
  const body = { ...DELIVERY, ...change };
  const signed = signStruct("delivery", CONSORTIUM, deliveryCodec, body, secretOf(signer));
  return concat(utf8(to), encodeSigned(signed));
}

/** Opens what `delivered` made for this device. */
export const opener: MeterOpener = (ciphertext) => {
  const name = utf8(ENROLLED.device);
  if (toHex(ciphertext.subarray(0, name.length)) === toHex(name)) return Promise.resolve(ciphertext.slice(name.length));
  return Promise.reject(new VeilgridError("cannot-decrypt", "it is another's", { blame: "peer" }));
};

/** Virtual time as the meter sees it; it runs what is due in its order. */
export class VirtualClock implements MeterClock {
  #now: number;
  #queue: { time: number; action: () => Promise<void> | void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  at(time: number, _label: string, action: () => Promise<void> | void): MeterTimer {
    const entry = { time: Math.max(time, this.#now), action };
    this.#queue.push(entry);
    return {
      cancel: () => {
        this.#queue = this.#queue.filter((other) => other !== entry);
      },
    };
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Runs everything up to `until`. */
  async run(until: number): Promise<void> {
    for (;;) {
      const due = this.#queue.filter(({ time }) => time <= until).sort((a, b) => a.time - b.time)[0];
      if (due === undefined) break;
      this.#queue = this.#queue.filter((other) => other !== due);
      this.#now = due.time;
      await due.action();
    }
    this.#now = until;
  }
}

/** A store in memory that counts its writes. */
export class CountingStore implements MeterStore {
  readonly entries = new Map<string, Uint8Array>();
  writes = 0;

  get(key: string): Uint8Array | undefined {
    return this.entries.get(key);
  }

  write(changes: readonly MeterChange[]): Promise<void> {
    this.writes += 1;
    for (const { key, value } of changes) {
      if (value === undefined) this.entries.delete(key);
      else this.entries.set(key, value.slice());
    }
    return Promise.resolve();
  }

  range(prefix: string): Promise<{ key: string; value: Uint8Array }[]> {
    const found = [...this.entries].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
    return Promise.resolve(found.map(([key, value]) => ({ key, value })));
  }
}

/** Draws by HMAC over the labels: the same labels, the same draw. */
export function seeded(seed: string): MeterRandom {
  return {
    below: (limit, ...labels) =>
      createHmac("sha256", seed).update(JSON.stringify(labels)).digest().readUIntBE(0, 6) % limit,
  };
}

/** What a DA of these tests does with a reading; undefined: it never answers. */
export type Behaviour = (signed: Uint8Array, da: number, clock: MeterClock) => Uint8Array | undefined;

/** Q acks over a bundle of this reading and a few others. */
export function receiptFor(signed: Uint8Array, acks = quorum(PARAMS.da.length), consortium = CONSORTIUM): Uint8Array {
  const { region, period } = readingCodec.decode(signed.subarray(0, READING_BYTES));
  const hash = readingHash(signed);
  const bundle = [hash, ...["a", "b", "c", "d"].map((label) => readingHash(utf8(label)))].sort(compareBytes);
  const tree = new MerkleTree(bundle);
  const index = bundle.findIndex((one) => compareBytes(one, hash) === 0);
  const entries = Array.from({ length: acks }, (_, da): ReceiptEntry => {
    const ack = { params: 1, da, region, period, count: bundle.length, root: tree.root };
    return { ...signStruct("ack", consortium, ackCodec, ack, secretOf(`da${da}`)), index, path: tree.path(index) };
  });
  return encodeReceipt(entries);
}

export const accept: Behaviour = (signed) => concat(Uint8Array.of(1), receiptFor(signed));
export const silent: Behaviour = () => undefined;
export const garbage: Behaviour = () => Uint8Array.of(1, 2, 3);

/** Answers with a code, signed by the DA or not. */
export function answering(name: AnswerName, options: { signed?: boolean; retryAfterMs?: number } = {}): Behaviour {
  return (signed, da, clock) => {
    const code = ANSWER[name];
    const answer = {
      params: 1,
      da,
      class: code < 16 ? (3 as const) : code < 32 ? (4 as const) : (5 as const),
      code,
      readingHash: readingHash(signed),
      now: BigInt(Math.round(clock.now())),
      retryAfterMs: options.retryAfterMs ?? 0,
    };
    const made = signStruct("answer", CONSORTIUM, answerCodec, answer, secretOf(`da${da}`));
    return options.signed === true
      ? concat(Uint8Array.of(2), encodeSigned(made))
      : concat(Uint8Array.of(3), made.bytes);
  };
}

/** A DA that judges by its own clock, which the meter's may be off from, and accepts what is in the window. */
export const byWindow: Behaviour = (signed, da, clock) => {
  const { opens, closes } = window(readingCodec.decode(signed.subarray(0, READING_BYTES)).period, PARAMS);
  if (clock.now() < opens) return answering("window-early", { retryAfterMs: opens - clock.now() })(signed, da, clock);
  return (clock.now() < closes ? accept : answering("window-late"))(signed, da, clock);
};

/** One request as it was sent. */
export interface Sent {
  readonly at: number;
  readonly da: number;
  readonly bytes: Uint8Array;
}

/** The DAs and the way to them: 20 ms there and 20 ms back. */
export class Aggregators implements MeterTransport {
  readonly readings: Sent[] = [];
  readonly timeAsked: number[] = [];
  behaviour: (da: number) => Behaviour = () => accept;
  /** How far each DA's clock is from the world's, milliseconds. */
  offsets: readonly number[] = [0, 0, 0, 0];
  onReading: (() => void) | undefined;
  /** What they answer to "params": nothing newer. */
  versions: (request: Uint8Array) => Uint8Array = () => Uint8Array.of(1);
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  request(
    to: string,
    method: "reading" | "time" | "params",
    request: Uint8Array,
    onResponse?: (response: Uint8Array) => Promise<void> | void,
  ): void {
    const da = Number(to.slice("da/da".length));
    if (method === "params") {
      this.#clock.at(this.#clock.now() + 40, "params", () => onResponse?.(this.versions(request)));
      return;
    }
    if (method === "time") this.timeAsked.push(this.#clock.now());
    else {
      this.onReading?.();
      this.readings.push({ at: this.#clock.now(), da, bytes: request });
    }
    this.#clock.at(this.#clock.now() + 20, "arrive", () => {
      const response = method === "time" ? this.#time(da) : this.behaviour(da)(request, da, this.#clock);
      if (response === undefined) return;
      this.#clock.at(this.#clock.now() + 20, "answer", () => onResponse?.(response));
    });
  }

  #time(da: number): Uint8Array {
    return new Writer().u64(BigInt(this.#clock.now() + (this.offsets[da] ?? 0))).bytes();
  }
}
