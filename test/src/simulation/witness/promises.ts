import { decodeBundleAck } from "@veilgrid/gateway";
import {
  KIND,
  SIGNED_READING_BYTES,
  ackCodec,
  comparePeriods,
  decodeSigned,
  electionCodec,
  elements,
  equalBytes,
  proposalCodec,
  blockHash,
  headerCodec,
  readingCodec,
  READING_BYTES,
  toHex,
  voteCodec,
  type Period,
  type Vote,
} from "@veilgrid/protocol";
import type { Kept } from "../disk.js";
import type { Message } from "../network.js";
import { acceptedBody } from "./accepted.js";
import type { Accuse } from "./violation.js";

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function slotOf(region: number, { month, k }: Period): string {
  return hex(region, 4) + hex(month, 8) + hex(k, 4);
}

function holds(pool: Uint8Array, reading: Uint8Array): boolean {
  return Buffer.from(pool.buffer, pool.byteOffset, pool.length).includes(Buffer.from(reading));
}

/**
 * What honest aggregators promise by their signatures, as a wiretap sees it: one vote a round, one candidate a term, one
 * reading a PRID, nothing more of a period once they have voted on it; and each promise on the disk before it is said.
 */
export class Promises {
  readonly #accuse: Accuse;
  readonly #diskOf: (da: string) => Kept;
  readonly #votes = new Map<string, string>();
  readonly #ballots = new Map<string, number>();
  readonly #acked = new Map<string, string>();
  /** By aggregator and region: the last period on whose block it voted. */
  readonly #votedOn = new Map<string, Period>();
  readonly #proposed = new Map<string, string>();

  /** @param diskOf what an aggregator has on its disk. */
  constructor(accuse: Accuse, diskOf: (da: string) => Kept) {
    this.#accuse = accuse;
    this.#diskOf = diskOf;
  }

  /** A message of an honest aggregator. */
  hear({ from, method, direction, bytes, asked }: Message): void {
    if (direction === "request") {
      if (method === "propose") this.#proposal(from, bytes);
      else if (method === "elect") this.#election(from, bytes);
      return;
    }
    const body = acceptedBody(bytes);
    if (body === undefined || asked === undefined) return;
    if (method === "propose") this.#vote(from, body, asked);
    else if (method === "elect") this.#election(from, body);
    else if (method === "forward") this.#ack(from, body, asked);
  }

  /** "one vote per (chain, number, term, round), on disk before it is sent" */
  #vote(da: string, body: Uint8Array, asked: Uint8Array): void {
    const { body: vote } = decodeSigned(voteCodec, body);
    const { region, number, term, round, cbh } = vote;
    const place = `${da} ${region}/${number}/${term}/${round}`;
    const before = this.#votes.get(place);
    if (before !== undefined && before !== toHex(cbh)) this.#accuse("one-vote", `${place} has two votes`);
    this.#votes.set(place, toHex(cbh));
    if (!this.#isKept(da, vote)) this.#accuse("vote-on-disk", `${place} is not on the disk`);
    const { header } = decodeSigned(proposalCodec, asked, 900).body;
    if (header.kind === KIND.readings) this.#votedOn.set(`${da}/${region}`, header.period);
  }

  #isKept(da: string, { region, number, term, round, cbh }: Vote): boolean {
    const kept = this.#diskOf(da).get(`vote/${hex(region, 4)}`);
    if (kept === undefined) return false;
    const last = voteCodec.decode(kept);
    if (last.number !== number) return last.number > number;
    if (last.term !== term) return last.term > term;
    return last.round > round || (last.round === round && equalBytes(last.cbh, cbh));
  }

  /** "alone it may … vote: once, on disk before the answer" */
  #election(da: string, body: Uint8Array): void {
    const { term, candidate, params } = decodeSigned(electionCodec, body).body;
    const place = `${da} version ${params} term ${term}`;
    const before = this.#ballots.get(place);
    if (before !== undefined && before !== candidate) this.#accuse("one-candidate", `${place} has two candidates`);
    this.#ballots.set(place, candidate);
    const kept = this.#diskOf(da).get("ballot") ?? new Uint8Array();
    const size = electionCodec.encode({ params, term, candidate, voter: 0 }).length;
    const isKept = elements(kept, size).some((one) => {
      const vote = electionCodec.decode(one);
      return vote.term > term || (vote.term === term && vote.candidate === candidate);
    });
    if (!isKept) this.#accuse("ballot-on-disk", `${place} is not on the disk`);
  }

  /** "a DA acks one reading a PRID, the first that it verified", "stores them durably", and of a frozen period no more. */
  #ack(da: string, body: Uint8Array, asked: Uint8Array): void {
    const readings = elements(asked, SIGNED_READING_BYTES);
    const { ack, accepted } = decodeBundleAck(body, readings.length);
    const { region, period } = decodeSigned(ackCodec, ack, 900).body;
    const named = readings.filter((_, i) => accepted[i]);
    for (const reading of named) this.#acks(da, reading);
    const kept = this.#diskOf(da).values(`pool/${slotOf(region, period)}/a`);
    if (!named.every((reading) => kept.some((value) => holds(value, reading)))) {
      this.#accuse("ack-on-disk", `${da} acks a reading of region ${region}, ${period.k} that is not on its disk`);
    }
    const voted = this.#votedOn.get(`${da}/${region}`);
    if (voted !== undefined && comparePeriods(period, voted) <= 0) {
      this.#accuse(
        "ack-after-vote",
        `${da} acks a reading of region ${region}, ${period.k} after it voted on the block`,
      );
    }
  }

  #acks(da: string, reading: Uint8Array): void {
    const { prid } = readingCodec.decode(reading.subarray(0, READING_BYTES), 900);
    const name = `${da} ${toHex(prid)}`;
    const before = this.#acked.get(name);
    if (before !== undefined && before !== toHex(reading)) this.#accuse("one-ack", `${da} acks two readings of a PRID`);
    this.#acked.set(name, toHex(reading));
  }

  /** An honest leader forms one block a round. */
  #proposal(da: string, bytes: Uint8Array): void {
    const { header } = decodeSigned(proposalCodec, bytes, 900).body;
    const { region, number, term, round } = header;
    const place = `${da} ${region}/${number}/${term}/${round}`;
    const cbh = toHex(blockHash(headerCodec.encode(header)));
    const before = this.#proposed.get(place);
    if (before !== undefined && before !== cbh) this.#accuse("one-proposal", `${place} has two proposals`);
    this.#proposed.set(place, cbh);
  }
}
