import { encodeAccepted, encodeBundleAck, encodeIncomplete, type Method } from "@veilgrid/gateway";
import {
  MerkleTree,
  SIGNED_READING_BYTES,
  READING_BYTES,
  ackCodec,
  blockHash,
  decodeSigned,
  electionCodec,
  elements,
  headerCodec,
  incompleteCodec,
  proposalCodec,
  readingCodec,
  readingHash,
  voteCodec,
  type Proposal,
} from "@veilgrid/protocol";
import type { Hostility } from "../scenario.js";
import type { Answering, Tools } from "./hostile.js";

const PERIOD_SECONDS = 900;

function proposalIn(request: Uint8Array): Proposal {
  return decodeSigned(proposalCodec, request, PERIOD_SECONDS).body;
}

/** A vote for whatever is proposed. */
function vote({ pen }: Tools, request: Uint8Array): Uint8Array {
  const { header } = proposalIn(request);
  const { params, region, number, term, round } = header;
  const cbh = blockHash(headerCodec.encode(header));
  return encodeAccepted(pen.sign("vote", voteCodec, { params, region, number, term, round, cbh, da: pen.da }));
}

/** An *incomplete* that names what is no reading. */
function nonsense({ pen, draw }: Tools, request: Uint8Array): Uint8Array {
  const { params, region, number, term, round } = proposalIn(request).header;
  const leaf = Uint8Array.from({ length: 104 }, () => draw.below(256));
  const body = { params, region, number, term, round, da: pen.da, missing: [leaf] };
  return encodeIncomplete(pen.sign("incomplete", incompleteCodec, body));
}

/** A vote for every candidate of every term. */
function elect({ pen }: Tools, request: Uint8Array): Uint8Array {
  const { params, term, candidate } = decodeSigned(electionCodec, request).body;
  return encodeAccepted(pen.sign("election", electionCodec, { params, term, candidate, voter: pen.da }));
}

/** An ack for readings that it throws away. */
function ack({ pen }: Tools, request: Uint8Array): Uint8Array {
  const readings = elements(request, SIGNED_READING_BYTES);
  const first = (readings[0] as Uint8Array).subarray(0, READING_BYTES);
  const { region, period } = readingCodec.decode(first, PERIOD_SECONDS);
  const { root } = new MerkleTree(readings.map((reading) => readingHash(reading)));
  const body = { params: 1, da: pen.da, region, period, count: readings.length, root };
  return encodeAccepted(encodeBundleAck({ ack: pen.sign("ack", ackCodec, body), accepted: readings.map(() => true) }));
}

/** How a hostile aggregator answers, by method. */
export function answers(does: ReadonlySet<Hostility>, tools: Tools): Partial<Record<Method, Answering>> {
  const sometimes = (answering: Answering): Answering => {
    return (request) => (tools.draw.chance(0.7) ? answering(request) : undefined);
  };
  const silence: Answering = () => "nothing";
  const answered: Partial<Record<Method, Answering>> = {};
  if (does.has("names-nonsense")) answered.propose = sometimes((request) => nonsense(tools, request));
  if (does.has("votes-for-everything")) answered.propose = (request) => vote(tools, request);
  if (does.has("votes-for-everybody")) answered.elect = (request) => elect(tools, request);
  if (does.has("acks-without-keeping")) answered.forward = sometimes((request) => ack(tools, request));
  if (does.has("withholds")) {
    answered.reading = sometimes(silence);
    answered.bodies = silence;
  }
  if (!does.has("says-nothing")) return answered;
  const methods: readonly Method[] = ["reading", "forward", "propose", "bodies", "timeout", "elect", "lists", "time"];
  return { ...answered, ...Object.fromEntries(methods.map((method) => [method, silence])) };
}
