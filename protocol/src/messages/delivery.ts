import { utf8, type Reader, type Writer } from "../bytes.js";
import { comparePeriods } from "../calendar.js";
import { isPeriod, readPeriod, writePeriod, type Period } from "./period.js";
import { readChoice, readVersion, rule, structCodec, VERSION, type StructCodec } from "./struct.js";

const MAX_NAME_BYTES = 255;
/** Region ‖ Period first ‖ key[32]. */
const CHAIN_BYTES = 40;
const MAX_CHAINS_BYTES = 255 * CHAIN_BYTES;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A chain of month keys: where and from when a meter uses it. */
export interface KeyChain {
  readonly region: number;
  /** The first period that it is used for. */
  readonly first: Period;
  /** K of the month of `first`, 32 bytes: the ratchet gives the later ones. */
  readonly key: Uint8Array;
}

/** KGCBP's word to one meter: which keys it uses from when on (PROTOCOL section 4, Key generation). */
export interface Delivery {
  /** 32 bytes. */
  readonly consortium: Uint8Array;
  /** The params version that names KGCBP's key. */
  readonly params: number;
  /** The meter's name at KGCBP: no BID, and nothing that is on the ledger. */
  readonly meter: string;
  /** The age recipient of the device that it is for. */
  readonly device: string;
  /** Counts this meter's deliveries; a meter takes none twice and none that is older than its newest. */
  readonly serial: number;
  /** Whether the keys that the meter has hold until the first chain begins; otherwise they end now. */
  readonly keep: boolean;
  /** Ascending by `first`; they take the place of all that the meter has from the first one's period on. */
  readonly chains: readonly KeyChain[];
}

function isName(name: string): boolean {
  const { length } = utf8(name);
  return length >= 1 && length <= MAX_NAME_BYTES;
}

function readText(from: Reader, what: string): string {
  const bytes = from.opaque(1, MAX_NAME_BYTES);
  try {
    return text.decode(bytes);
  } catch {
    throw from.refuse(`${what} that is not UTF-8`);
  }
}

function writeChains(to: Writer, chains: readonly KeyChain[]): Writer {
  to.u16(chains.length * CHAIN_BYTES);
  for (const { region, first, key } of chains) writePeriod(to.u16(region), first).fixed(key, 32);
  return to;
}

function readChains(from: Reader): KeyChain[] {
  const bytes = from.u16();
  const whole = bytes % CHAIN_BYTES === 0 && bytes >= CHAIN_BYTES && bytes <= MAX_CHAINS_BYTES;
  if (!whole || bytes > from.left) throw from.refuse(`chains of ${bytes} bytes`);
  return Array.from({ length: bytes / CHAIN_BYTES }, () => ({
    region: from.u16(),
    first: readPeriod(from),
    key: from.fixed(32),
  }));
}

function ascending(chains: readonly KeyChain[]): boolean {
  return chains.every(({ first }, i) => i === 0 || comparePeriods((chains[i - 1] as KeyChain).first, first) < 0);
}

/** The codec of Delivery. */
export const deliveryCodec: StructCodec<Delivery> = structCodec<Delivery>({
  what: "delivery",
  write(to, v) {
    to.u8(VERSION).fixed(v.consortium, 32).u16(v.params);
    to.opaque(utf8(v.meter), 1, MAX_NAME_BYTES).opaque(utf8(v.device), 1, MAX_NAME_BYTES);
    writeChains(to.u32(v.serial).u8(Number(v.keep)), v.chains);
  },
  read(from) {
    readVersion(from);
    const head = { consortium: from.fixed(32), params: from.u16() };
    const names = { meter: readText(from, "a meter's name"), device: readText(from, "a device") };
    const serial = from.u32();
    const keep = readChoice(from, "keep", [false, true]);
    return { ...head, ...names, serial, keep, chains: readChains(from) };
  },
  rules: [
    rule("params 0", (v) => v.params >= 1),
    rule("length of a meter's name", (v) => isName(v.meter)),
    // An age X25519 recipient, and so printable ASCII without space as all names are.
    rule("no age recipient", (v) => /^age1[a-z0-9]{58}$/.test(v.device)),
    rule("serial 0", (v) => v.serial >= 1),
    rule("number of chains", (v) => v.chains.length >= 1 && v.chains.length * CHAIN_BYTES <= MAX_CHAINS_BYTES),
    rule("region 0", (v) => v.chains.every(({ region }) => region >= 1)),
    rule("no such period", (v, ps) => v.chains.every(({ first }) => isPeriod(first, ps))),
    rule("chains not ascending", (v) => ascending(v.chains)),
  ],
});
