import { concat, equalBytes } from "../bytes.js";
import type { Codec } from "../codec.js";
import { blockCodec, type Block } from "../messages/block.js";
import { epochCodec, type Epoch } from "../messages/epoch.js";
import { genesisHash } from "../messages/genesis.js";
import { headerCodec, HEADER_BYTES, type Header } from "../messages/header.js";
import { decodeLeaf } from "../messages/leaf.js";
import { KIND } from "../messages/kind.js";
import { maskCodec, type Mask } from "../messages/mask.js";
import { paramsCodec, type Member, type Params } from "../messages/params.js";
import type { Period } from "../messages/period.js";
import { priceCodec, type Price } from "../messages/price.js";
import { maxFaulty } from "../messages/quorum.js";
import { stateKey } from "./keys.js";
import * as records from "./records.js";
import type { BillRecord, ChainRecord, EpochEntry, FaultRecord, MaskRecord, ReadingsRecord } from "./records.js";
import { refusal } from "./refusal.js";
import type { StateReader } from "./state.js";

/** Bytes of a block before its leaves: header and leader's signature. */
export const BLOCK_PREFIX_BYTES = HEADER_BYTES + 64;

/** A committed block with its certificate of votes, as bytes and decoded. */
export interface CommittedBlock {
  readonly block: Block;
  readonly bytes: Uint8Array;
  readonly cert: Uint8Array;
}

/** A committed header, which stays when a closed month's leaves are deleted. */
export interface CommittedHeader {
  readonly header: Header;
  readonly headerBytes: Uint8Array;
  readonly scbh: Uint8Array;
  readonly cert: Uint8Array;
}

/** The term in force and who leads it. */
export interface Term {
  readonly term: bigint;
  /** Key of the leader; absent in term 0. */
  readonly leader: Uint8Array | undefined;
  /** The last f leaders, the newest first: they may not stand for the next term. */
  readonly recent: readonly Uint8Array[];
}

/** The epoch that covers a period, with the number of its block on the region's chain. */
export interface CoveringEpoch {
  readonly number: bigint;
  readonly epoch: Epoch;
}

/** Everything that the ledger's state says, read through one port: the same code serves chaincode, voters and audit. */
export class LedgerView {
  readonly #reader: StateReader;

  constructor(reader: StateReader) {
    this.#reader = reader;
  }

  async #record<T>(key: string, codec: Codec<T>): Promise<T | undefined> {
    const bytes = await this.#reader.get(key);
    return bytes === undefined ? undefined : codec.decode(bytes);
  }

  /** The consortium id (32 bytes). @throws VeilgridError `not-set-up`. */
  async consortium(): Promise<Uint8Array> {
    const id = await this.#reader.get(stateKey.consortium);
    if (id === undefined) throw refusal("not-set-up", "the ledger holds no parameter set yet", {}, true);
    return id;
  }

  async isSetUp(): Promise<boolean> {
    return (await this.#reader.get(stateKey.consortium)) !== undefined;
  }

  /** A version of the parameter set. @throws VeilgridError `wrong-params` where there is none. */
  async params(version: number): Promise<Params> {
    const params = await this.#record(stateKey.params(version), paramsCodec);
    if (params === undefined) throw refusal("wrong-params", "no such version of the parameter set", { version }, true);
    return params;
  }

  /** The parameter set in force. @throws VeilgridError `not-set-up`. */
  async currentParams(): Promise<Params> {
    await this.consortium();
    return this.params((await this.#record(stateKey.paramsVersion, records.u16Record)) as number);
  }

  /** The number of the block on chain 0 that holds a version; undefined of version 1, which is no block. */
  async paramsBlock(version: number): Promise<bigint | undefined> {
    return this.#record(stateKey.paramsBlock(version), records.u64Record);
  }

  async term(): Promise<Term> {
    const record = await this.#record(stateKey.term, records.termRecord);
    const { da } = await this.currentParams();
    return {
      term: record?.term ?? 0n,
      leader: record?.leaders[0],
      recent: record?.leaders.slice(0, maxFaulty(da.length)) ?? [],
    };
  }

  /** All leaders that the ledger still remembers, the newest first. */
  async leaders(): Promise<readonly Uint8Array[]> {
    return (await this.#record(stateKey.term, records.termRecord))?.leaders ?? [];
  }

  /** The certificate that made a term's leader, or undefined. */
  async election(term: bigint): Promise<Uint8Array | undefined> {
    return this.#reader.get(stateKey.election(term));
  }

  /** Where a chain stands: at its genesis, if nothing is committed there. */
  async head(region: number): Promise<ChainRecord> {
    const record = await this.#record(stateKey.chain(region), records.chainRecord);
    if (record !== undefined) return record;
    const cbh = genesisHash(await this.consortium(), region);
    return { number: 0n, cbh, ts: 0n, firstCovered: undefined, lastCovered: undefined, lastReadings: undefined };
  }

  /** The regions that ever had an epoch, in the order of their first. */
  async regions(): Promise<readonly number[]> {
    return (await this.#record(stateKey.regions, records.regionList)) ?? [];
  }

  async header(region: number, number: bigint): Promise<CommittedHeader | undefined> {
    const bytes = await this.#reader.get(stateKey.header(region, number));
    if (bytes === undefined) return undefined;
    const headerBytes = bytes.slice(0, HEADER_BYTES);
    return {
      header: headerCodec.decode(headerBytes),
      headerBytes,
      scbh: bytes.slice(HEADER_BYTES, BLOCK_PREFIX_BYTES),
      cert: bytes.slice(BLOCK_PREFIX_BYTES),
    };
  }

  /** A committed block; undefined where there is none or a closed month's leaves are gone. */
  async block(region: number, number: bigint): Promise<CommittedBlock | undefined> {
    const prefix = await this.#reader.get(stateKey.header(region, number));
    if (prefix === undefined) return undefined;
    const { count } = headerCodec.decode(prefix.slice(0, HEADER_BYTES));
    // A block without leaves has no body to store: Fabric cannot tell an empty value from none.
    const body = count === 0 ? new Uint8Array() : await this.#reader.get(stateKey.body(region, number));
    if (body === undefined) return undefined;
    const bytes = concat(prefix.subarray(0, BLOCK_PREFIX_BYTES), body);
    return { block: blockCodec.decode(bytes), bytes, cert: prefix.slice(BLOCK_PREFIX_BYTES) };
  }

  /** The epochs of a region that begin in a month, in their order. */
  async epochs(region: number, month: number): Promise<readonly EpochEntry[]> {
    return (await this.#record(stateKey.epochs(region, month), records.epochEntries)) ?? [];
  }

  /** The epoch that a committed block of a region's chain carries; undefined of another kind of block. */
  async epoch(region: number, number: bigint): Promise<Epoch | undefined> {
    const { header, leaves } = (await this.block(region, number))?.block ?? {};
    if (header?.kind !== KIND.epoch) return undefined;
    const { body } = decodeLeaf(leaves?.[0] as Uint8Array);
    return epochCodec(await this.params(header.params)).decode(body);
  }

  /** The epoch that covers a period; undefined where none does or a closed month's is deleted. */
  async epochAt(region: number, period: Period): Promise<CoveringEpoch | undefined> {
    const entry = await this.#entryAt(region, period);
    const epoch = entry && (await this.epoch(region, entry.number));
    return entry && epoch && { number: entry.number, epoch };
  }

  /** The parameter set that rules a period: the one that its epoch names. */
  async periodParams(region: number, period: Period): Promise<Params | undefined> {
    const entry = await this.#entryAt(region, period);
    const found = entry && (await this.header(region, entry.number));
    return found && this.params(found.header.params);
  }

  async #entryAt(region: number, { month, k }: Period): Promise<EpochEntry | undefined> {
    return (await this.epochs(region, month)).find((entry) => entry.k <= k && k < entry.k + entry.periods);
  }

  /** The region's next readings block, in the order of k: the first covered period after the last committed one. */
  async nextReadings(region: number): Promise<Period | undefined> {
    const { firstCovered, lastCovered, lastReadings } = await this.head(region);
    if (lastReadings === undefined) return firstCovered;
    const { month: end } = lastCovered as Period;
    for (let { month } = lastReadings; month <= end; month += 1) {
      const from = month === lastReadings.month ? lastReadings.k + 1 : 0;
      const entry = (await this.epochs(region, month)).find(({ k, periods }) => k + periods > from);
      if (entry !== undefined) return { month, k: Math.max(entry.k, from) };
    }
    return undefined;
  }

  async readings(region: number, period: Period): Promise<ReadingsRecord | undefined> {
    return this.#record(stateKey.readings(region, period), records.readingsRecord);
  }

  async mask(region: number, period: Period): Promise<MaskRecord | undefined> {
    return this.#record(stateKey.mask(region, period), records.maskRecord);
  }

  /** The whole release of a region-period, with the PRIDs it excludes. */
  async maskBody(region: number, period: Period): Promise<Mask | undefined> {
    const record = await this.mask(region, period);
    const leaf = record && (await this.block(0, record.number))?.block.leaves[record.index];
    return leaf && maskCodec.decode(decodeLeaf(leaf).body);
  }

  async price(region: number, period: Period): Promise<Price | undefined> {
    return this.#record(stateKey.price(region, period), priceCodec);
  }

  /** How many of a region-month's periods with an epoch have their price. */
  async priced(region: number, month: number): Promise<number> {
    return (await this.#record(stateKey.priced(region, month), records.u32Record)) ?? 0;
  }

  /** A region-month is closed when every period that has an epoch has its readings block and its price. */
  async monthClosed(region: number, month: number): Promise<boolean> {
    const entries = await this.epochs(region, month);
    // A period with an epoch has no price before its readings block, so that counting prices is enough.
    return (await this.priced(region, month)) === entries.reduce((sum, { periods }) => sum + periods, 0);
  }

  /** The newest revision of a bill. */
  async bill(bid: Uint8Array, month: number): Promise<BillRecord | undefined> {
    return this.#record(stateKey.bill(bid, month), records.billRecord);
  }

  /** A fault that no verdict has closed. */
  async fault(region: number, period: Period): Promise<FaultRecord | undefined> {
    return this.#record(stateKey.fault(region, period), records.faultRecord);
  }

  async hasVerdict(region: number, period: Period, ref: Uint8Array): Promise<boolean> {
    return (await this.#reader.get(stateKey.verdict(region, period, ref))) !== undefined;
  }

  /** Whether a `close` deleted the region-month's bulk values. */
  async monthDeleted(region: number, month: number): Promise<boolean> {
    return (await this.#reader.get(stateKey.close(region, month))) !== undefined;
  }
}

/** Position of a key among the aggregators, or -1. */
export function memberIndex(members: readonly Member[], key: Uint8Array): number {
  return members.findIndex((member) => equalBytes(member.key, key));
}
