import {
  encodeBodiesWish,
  encodeBundle,
  encodeDeliveryWish,
  encodeKeepLists,
  encodeListsWish,
  encodeTransaction,
} from "@veilgrid/gateway";
import {
  BASIS,
  KIND,
  MASK_STATUS,
  blockHash,
  closeCodec,
  compareBytes,
  electionCodec,
  encodeLeaf,
  headerCodec,
  maskCodec,
  merkleRoot,
  priceCodec,
  proposalCodec,
  readingHash,
  readingLeaf,
  signBody,
  timeoutCodec,
  utf8,
  type Header,
  type Member,
  type SigKind,
} from "@veilgrid/protocol";
import type { Shape } from "./frames.js";
import type { Papers } from "./papers.js";

/** A body and how its sender signs it, where he has the key: then a mutated one can have a good signature. */
export interface ValidMessage {
  /** "/service/Method". */
  readonly path: string;
  /** What is signed, or all of it. */
  readonly body: Uint8Array;
  readonly signed?: (body: Uint8Array) => Uint8Array;
  /** Where it is not protobuf's Request. */
  readonly shape?: Shape;
}

/** Who sends a message: an organisation of the consortium by its certificate, or nobody. */
export type Sender = "da3" | "cc" | "kgcbp";

/** Where the region's chain stands, so that proposals can follow on. */
export interface Head {
  readonly number: string;
  /** Hex. */
  readonly cbh: string;
  readonly term: string;
}

const INTAKE = "/veilgrid.v1.ReadingIntake";
const AGGREGATOR = "/veilgrid.v1.Aggregator";
const BILL_PROVIDER = "/veilgrid.v1.BillProvider";
const HEALTH = "/grpc.health.v1.Health";
const REGION = 1;

/** What anybody asks: health of each service. */
export function healthMessages(): ValidMessage[] {
  const names = ["", "veilgrid.v1.ReadingIntake", "veilgrid.v1.Aggregator", "nobody"];
  return names.flatMap((name) =>
    ["Check", "Watch"].map((method) => ({ path: `${HEALTH}/${method}`, body: utf8(name) })),
  );
}

/** What meters ask an aggregator. */
export function meterMessages(readings: readonly Uint8Array[]): ValidMessage[] {
  return [
    ...readings.map((body) => ({ path: `${INTAKE}/Reading`, body })),
    { path: `${INTAKE}/Time`, body: new Uint8Array() },
    ...[0, 1, 2, 65_535].map((version) => ({
      path: `${INTAKE}/Params`,
      body: Uint8Array.of(version >> 8, version & 255),
    })),
  ];
}

/** What devices ask KGCBP. */
export function deviceMessages(): ValidMessage[] {
  const devices = ["age1honest", `age1${"q".repeat(58)}`, "\u{1f50c}", "x".repeat(255)];
  return devices.map((device, serial) => ({
    path: `${BILL_PROVIDER}/Delivery`,
    body: encodeDeliveryWish({ device, serial }),
  }));
}

/** What organisations ask an aggregator, each with the sender who may. */
export class OrganisationMessages {
  readonly #papers: Papers;
  readonly #head: Head;
  readonly #readings: readonly Uint8Array[];

  constructor(papers: Papers, head: Head, readings: readonly Uint8Array[]) {
    this.#papers = papers;
    this.#head = head;
    this.#readings = [...readings].sort((a, b) => compareBytes(readingHash(a), readingHash(b)));
  }

  of(sender: Sender): ValidMessage[] {
    if (sender === "cc") return [this.#price(), this.#foreign()];
    if (sender === "kgcbp") return [this.#mask(), this.#close(), this.#lists(), this.#listsWish(), this.#foreign()];
    return [
      { path: `${AGGREGATOR}/Forward`, body: encodeBundle(this.#readings) },
      { path: `${AGGREGATOR}/Forward`, body: encodeBundle(this.#readings.slice(0, 1)) },
      { path: `${AGGREGATOR}/Timeouts`, body: new Uint8Array() },
      this.#bodies(),
      this.#timeout(),
      this.#election(),
      this.#proposal(),
      this.#listsWish(),
      this.#foreign(),
    ];
  }

  #signing(kind: SigKind, sender: Sender, transaction?: number): (body: Uint8Array) => Uint8Array {
    const secret = this.#papers.secret(sender);
    return (body) => {
      const leaf = encodeLeaf(body, signBody(kind, this.#papers.consortium, body, secret));
      return transaction === undefined ? leaf : encodeTransaction({ kind: transaction, leaf });
    };
  }

  get #place(): { readonly region: number; readonly period: { readonly month: number; readonly k: number } } {
    return { region: REGION, period: this.#papers.overview.first };
  }

  #bodies(): ValidMessage {
    const hashes = this.#readings.map((reading) => readingHash(reading));
    return { path: `${AGGREGATOR}/Bodies`, body: encodeBodiesWish({ ...this.#place, hashes }) };
  }

  #timeout(): ValidMessage {
    const body = timeoutCodec.encode({ params: 1, term: BigInt(this.#head.term), da: 3 });
    return { path: `${AGGREGATOR}/Timeout`, body, signed: this.#signing("timeout", "da3") };
  }

  #election(): ValidMessage {
    const body = electionCodec.encode({ params: 1, term: BigInt(this.#head.term) + 1n, candidate: 3, voter: 3 });
    return { path: `${AGGREGATOR}/Elect`, body, signed: this.#signing("election", "da3") };
  }

  #proposal(): ValidMessage {
    const { params, consortium } = this.#papers;
    const leaves = this.#readings.map(readingLeaf);
    const header: Header = {
      ...{ consortium, ...this.#place, kind: KIND.readings, params: 1, term: BigInt(this.#head.term), round: 0 },
      ...{ number: BigInt(this.#head.number) + 1n, prev: Buffer.from(this.#head.cbh, "hex") },
      ...{ root: merkleRoot(leaves), count: leaves.length, aggFault: true },
      leader: (params.da[3] as Member).key,
      ts: BigInt(Date.UTC(2026, 3, 1)),
    };
    const cbh = blockHash(headerCodec.encode(header));
    const scbh = signBody("header", consortium, cbh, this.#papers.secret("da3"));
    const readings = this.#readings.map((reading) => readingHash(reading));
    const body = proposalCodec.encode({ header, scbh, readings });
    return { path: `${AGGREGATOR}/Propose`, body, signed: this.#signing("proposal", "da3") };
  }

  #price(): ValidMessage {
    const cbh = new Uint8Array(32);
    const body = priceCodec.encode({ ...this.#place, price: 1n, basis: BASIS.noEpoch, consumption: 0n, cbh });
    return { path: `${AGGREGATOR}/Transaction`, body, signed: this.#signing("price", "cc", KIND.prices) };
  }

  #mask(): ValidMessage {
    const cbh = Buffer.from(this.#head.cbh, "hex");
    const body = maskCodec.encode({ ...this.#place, cbh, status: MASK_STATUS.released, z: 1n, excluded: [] });
    return { path: `${AGGREGATOR}/Transaction`, body, signed: this.#signing("mask", "kgcbp", KIND.masks) };
  }

  #close(): ValidMessage {
    const body = closeCodec.encode({ region: REGION, month: this.#place.period.month });
    return { path: `${AGGREGATOR}/Transaction`, body, signed: this.#signing("close", "kgcbp", KIND.close) };
  }

  #lists(): ValidMessage {
    const { region, period: first } = this.#place;
    const prids = this.#readings.map((reading) => readingLeaf(reading).subarray(0, 32)).sort(compareBytes);
    return { path: `${AGGREGATOR}/Lists`, body: encodeKeepLists({ region, first, lists: [prids, []] }) };
  }

  #listsWish(): ValidMessage {
    const { region, period: first } = this.#place;
    return { path: `${AGGREGATOR}/Lists`, body: encodeListsWish({ region, first, periods: 1 }) };
  }

  /** What is another audience's, or nobody's. */
  #foreign(): ValidMessage {
    return { path: `${BILL_PROVIDER}/Delivery`, body: encodeDeliveryWish({ device: "age1", serial: 0 }) };
  }
}
