import { createHash } from "node:crypto";
import { concat, utf8 } from "@veilgrid/protocol";
import { headerHash } from "../../src/fabric/rawblock.js";

// Blocks made by hand, field by field, so that tests can make the ones that no honest client or peer would.

/** A number as protobuf writes it. */
export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}

/** A field of bytes, text or a message. */
export function field(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? utf8(value) : value;
  return concat(varint((number << 3) | 2), varint(bytes.length), bytes);
}

/** A field of a number. */
export function count(number: number, value: number | bigint): Uint8Array {
  return concat(varint(number << 3), varint(value));
}

/** What a forged transaction is; what is left out is as an honest one has it. */
export interface Forged {
  readonly txId?: string;
  readonly msp?: string;
  readonly chaincode?: string;
  readonly args?: readonly (Uint8Array | string)[];
  /** Writes of each namespace; without a value it is a deletion. */
  readonly writes?: Readonly<Record<string, readonly (readonly [string, Uint8Array?])[]>>;
  readonly event?: readonly [string, Uint8Array];
  /** Verdict; 0 is valid. */
  readonly code?: number;
}

/** An id that is like Fabric's. */
export function txId(n: number): string {
  return n.toString(16).padStart(64, "0");
}

/** ChannelHeader and SignatureHeader. */
export function forgeHeaders({ txId: id = txId(1), msp = "DA0MSP", chaincode = "veilgrid" }: Forged): Uint8Array[] {
  const extension = field(2, field(2, chaincode));
  const channel = concat(count(1, 3), field(4, "channel"), field(5, id), field(7, extension));
  return [channel, field(1, concat(field(1, msp), field(2, "certificate")))];
}

function forgeSet(writes: NonNullable<Forged["writes"]>): Uint8Array {
  const namespaces = Object.entries(writes).map(([namespace, list]) => {
    const set = list.map(([key, value]) =>
      field(3, concat(field(1, key), value === undefined ? count(2, 1) : field(3, value))),
    );
    return field(2, concat(field(1, namespace), field(2, concat(...set))));
  });
  return concat(...namespaces);
}

/** Transaction, with what was called and what came of it. */
export function forgeTransaction({ args = ["call"], writes = {}, event, chaincode = "veilgrid" }: Forged): Uint8Array {
  const input = field(3, concat(...args.map((arg) => field(1, arg))));
  const proposal = field(1, field(1, concat(field(2, field(2, chaincode)), input)));
  const events = event === undefined ? [] : [field(2, concat(field(3, event[0]), field(4, event[1])))];
  const outcome = field(2, concat(field(1, forgeSet(writes)), ...events));
  return field(1, field(2, concat(field(1, proposal), field(2, field(1, outcome)))));
}

export function forgeEnvelope(forged: Forged): Uint8Array {
  const [channel, signature] = forgeHeaders(forged) as [Uint8Array, Uint8Array];
  const header = concat(field(1, channel), field(2, signature));
  return field(1, concat(field(1, header), field(2, forgeTransaction(forged))));
}

export interface Link {
  readonly raw: Uint8Array;
  readonly hash: Uint8Array;
}

/** A block of envelopes with these verdicts. */
export function forgeBlock(
  number: number,
  previous: Uint8Array,
  envelopes: readonly Uint8Array[],
  codes: readonly number[] = envelopes.map(() => 0),
): Link {
  const dataHash = new Uint8Array(
    createHash("sha256")
      .update(concat(...envelopes))
      .digest(),
  );
  const header = concat(count(1, number), field(2, previous), field(3, dataHash));
  const commit = createHash("sha256")
    .update(Uint8Array.from([number, ...codes]))
    .digest();
  const metadata = [new Uint8Array(), new Uint8Array(), Uint8Array.from(codes), new Uint8Array(), field(1, commit)];
  const data = concat(...envelopes.map((envelope) => field(1, envelope)));
  const raw = concat(field(1, header), field(2, data), field(3, concat(...metadata.map((item) => field(1, item)))));
  return { raw, hash: headerHash(BigInt(number), previous, dataHash) };
}

/** A channel of blocks with these transactions, each block behind the one before. */
export function forgeChain(blocks: readonly (readonly Forged[])[], before: readonly Link[] = []): Link[] {
  const chain = [...before];
  for (const transactions of blocks) {
    const previous = chain.at(-1)?.hash ?? new Uint8Array();
    const codes = transactions.map(({ code = 0 }) => code);
    chain.push(forgeBlock(chain.length, previous, transactions.map(forgeEnvelope), codes));
  }
  return chain;
}
