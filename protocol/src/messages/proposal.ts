import { toHex } from "../bytes.js";
import {
  headerRule,
  readLeaves,
  readSignedHeader,
  writeLeaves,
  writeSignedHeader,
  type SignedHeader,
} from "./block-parts.js";
import { KIND } from "./kind.js";
import { leavesFlaw } from "./leaf-order.js";
import { rule, structCodec, type Rule, type StructCodec } from "./struct.js";
import { elements } from "./vectors.js";

/** The leader's request for votes: a readings block by its readings' hashes, any other with its leaves. */
export interface Proposal extends SignedHeader {
  /** Readings blocks only: readingHash of each leaf, in the order of the leaves; 32 bytes each. */
  readonly readings?: readonly Uint8Array[];
  /** All other kinds. */
  readonly leaves?: readonly Uint8Array[];
}

/** The hashes of a readings proposal, or why they are none: their order shows when the bodies are known. */
const hashesRule: Rule<Proposal> = ({ header, readings }) => {
  if (readings === undefined) return undefined;
  if (readings.length !== header.count) return "the number of readings is not the header's";
  // "and so is a proposal that repeats a hash"
  return new Set(readings.map(toHex)).size === readings.length ? undefined : "a reading twice";
};

/** The codec of Proposal. */
export const proposalCodec: StructCodec<Proposal> = structCodec<Proposal>({
  what: "proposal",
  write(to, v) {
    writeSignedHeader(to, v);
    for (const hash of v.readings ?? []) to.fixed(hash, 32);
    writeLeaves(to, v.header, v.leaves ?? []);
  },
  read(from) {
    const front = readSignedHeader(from);
    const { kind, count } = front.header;
    if (kind === KIND.readings) return { ...front, readings: elements(from.fixed(32 * count), 32) };
    return { ...front, leaves: readLeaves(from, front.header) };
  },
  rules: [
    headerRule,
    rule("readings or leaves by kind", (v) => (v.readings !== undefined) === (v.header.kind === KIND.readings)),
    rule("readings or leaves", (v) => (v.readings === undefined) !== (v.leaves === undefined)),
    hashesRule,
    ({ leaves, header }, periodSeconds) => leaves && leavesFlaw(leaves, header, periodSeconds),
  ],
});
