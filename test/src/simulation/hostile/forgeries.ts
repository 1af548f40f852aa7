import { encodeBundle, type Method } from "@veilgrid/gateway";
import {
  compareBytes,
  daAddress,
  electionCodec,
  periodEnd,
  readingCodec,
  readingHash,
  timeoutCodec,
  schnorr,
  sha256,
  signBody,
  encodeLeaf,
  utf8,
  type Period,
} from "@veilgrid/protocol";
import type { Hostility } from "../scenario.js";
import type { Tools } from "./hostile.js";

const EVERY_MS = 20_000;
/** A key that nobody registered. */
const STRANGER = sha256(utf8("a stranger's key"));

function turned(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at % copy.length] = (copy[at % copy.length] as number) ^ 1;
  return copy;
}

/** A reading under a key that is on no list. */
function strange({ pen }: Tools, region: number, period: Period): Uint8Array {
  const body = readingCodec.encode({ region, period, prid: schnorr.publicKey(STRANGER), rc: 1n });
  return encodeLeaf(body, signBody("reading", pen.consortium.id, body, STRANGER));
}

/** A bundle in which one reading is nobody's, and others were changed on their way. */
function forgedBundle(tools: Tools): Uint8Array {
  const { draw, heard, pen } = tools;
  const readings = heard.filter(({ method }) => method === "reading").map(({ bytes }) => bytes);
  const real = readings.length === 0 ? [] : [draw.pick(readings)];
  const period = draw.pick(pen.consortium.periods);
  const all = [strange(tools, 1, period), ...real, ...real.map((reading) => turned(reading, 60 + draw.below(50)))];
  return encodeBundle(all.sort((a, b) => compareBytes(readingHash(a), readingHash(b))));
}

function peers({ pen }: Tools): string[] {
  return pen.consortium.params.da.map(daAddress).filter((_, da) => da !== pen.da);
}

function sayAll(tools: Tools, method: Method, bytes: Uint8Array): void {
  for (const address of peers(tools)) tools.raw.request(address, method, bytes);
}

/** Timeouts and candidatures of terms that are not due. */
function hurry(tools: Tools): void {
  const { pen, draw } = tools;
  const term = BigInt(draw.below(12));
  sayAll(tools, "timeout", pen.sign("timeout", timeoutCodec, { params: 1, term, da: pen.da }));
  const own = { params: 1, term: term + 1n, candidate: pen.da, voter: pen.da };
  sayAll(tools, "elect", pen.sign("election", electionCodec, own));
}

/** Something that it heard before, as it was or with a bit turned. */
function replay({ draw, heard, raw, ...tools }: Tools): void {
  if (heard.length === 0) return;
  const { method, bytes } = draw.pick(heard);
  const address = draw.pick(peers({ draw, heard, raw, ...tools }));
  raw.request(address, method, draw.chance(0.3) ? turned(bytes, draw.below(Math.max(1, bytes.length))) : bytes);
}

/** What a hostile aggregator says of its own accord, again and again until the run's last period is over. */
export function forgeries(does: ReadonlySet<Hostility>, tools: Tools): void {
  const { clock } = tools.making.modules;
  const { periods, params } = tools.pen.consortium;
  const end = periodEnd(periods.at(-1) as Period, params.periodSeconds) + 1000 * params.submissionWindow + 120_000;
  const again = (): void => {
    if (does.has("forges")) sayAll(tools, "forward", forgedBundle(tools));
    if (does.has("votes-for-everybody")) hurry(tools);
    if (does.has("replays")) for (let i = 0; i < 5; i += 1) replay(tools);
    const next = clock.now() + 1 + tools.draw.below(2 * EVERY_MS);
    if (next < end) clock.at(next, "mischief", again);
  };
  clock.at(clock.now() + tools.draw.below(EVERY_MS), "mischief", again);
}
