import {
  FAULT_RANGE,
  faultRecord,
  fromHex,
  monthOf,
  paramsCodec,
  parseFaultKey,
  toHex,
  VeilgridError,
  type LedgerView,
  type Mask,
  type Period,
} from "@veilgrid/protocol";
import type { Stub } from "./stubState.js";

// Answers are JSON with a fixed order of fields; bytes are lower-case hex, bulk bytes base64, 64-bit integers strings.
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

function badArgument(name: string, text: string): VeilgridError {
  return new VeilgridError("bad-argument", `argument ${name} is not what the query takes`, {
    facts: { name, text: text.slice(0, 80) },
    blame: "caller",
  });
}

/** @throws VeilgridError `bad-argument` (so do all of these) for anything but a canonical decimal integer in [0, limit]. */
function integerArgument(name: string, text: string, limit: number): number {
  const value = Number(text);
  if (/^(?:0|[1-9]\d*)$/.test(text) && value <= limit) return value;
  throw badArgument(name, text);
}

/** A region's number, 0 meaning chain 0. */
export function regionArgument(text: string): number {
  return integerArgument("region", text, 0xffff);
}

/** A block's number, from 1: a chain's genesis is not stored. */
export function numberArgument(text: string): bigint {
  if (/^[1-9]\d{0,18}$/.test(text)) return BigInt(text);
  throw badArgument("number", text);
}

/** A month "YYYY-MM" of the years 1970 to 9999. */
export function monthArgument(text: string): number {
  if (/^(?:19[7-9]|[2-9]\d\d)\d-(?:0[1-9]|1[0-2])$/.test(text)) return monthOf(text);
  throw badArgument("month", text);
}

/** A period as its month and its k, which quarters count up to 2975. */
export function periodArgument(month: string, k: string): Period {
  return { month: monthArgument(month), k: integerArgument("k", k, 2975) };
}

/** A BID as lower-case hex. */
export function bidArgument(text: string): Uint8Array {
  if (/^[0-9a-f]{32}$/.test(text)) return fromHex(text);
  throw badArgument("bid", text);
}

export async function consortiumAnswer(view: LedgerView): Promise<string> {
  const params = await view.currentParams();
  const { term, leader } = await view.term();
  return JSON.stringify({
    consortium: toHex(await view.consortium()),
    version: params.version,
    params: toHex(paramsCodec.encode(params)),
    term: term.toString(),
    leader: leader === undefined ? null : toHex(leader),
  });
}

export async function headAnswer(view: LedgerView, region: number): Promise<string> {
  const { number, cbh, ts } = await view.head(region);
  return JSON.stringify({ region, number: number.toString(), cbh: toHex(cbh), ts: ts.toString() });
}

export async function blockAnswer(view: LedgerView, region: number, number: bigint): Promise<string> {
  const found = await view.block(region, number);
  return found === undefined ? "null" : JSON.stringify({ block: base64(found.bytes), cert: base64(found.cert) });
}

export async function readingsAnswer(view: LedgerView, region: number, period: Period): Promise<string> {
  const record = await view.readings(region, period);
  if (record === undefined) return "null";
  const { number, cbh, aggFault, count } = record;
  const found = await view.block(region, number);
  return JSON.stringify({
    number: number.toString(),
    cbh: toHex(cbh),
    aggFault,
    count,
    block: found === undefined ? null : base64(found.bytes),
  });
}

export async function maskAnswer(view: LedgerView, region: number, period: Period): Promise<string> {
  const record = await view.mask(region, period);
  if (record === undefined) return "null";
  const { excluded } = (await view.maskBody(region, period)) as Mask;
  const { status, z, sum } = record;
  return JSON.stringify({ status, z: z.toString(), sum: sum.toString(), excluded: excluded.map(toHex) });
}

export async function priceAnswer(view: LedgerView, region: number, period: Period): Promise<string> {
  const found = await view.price(region, period);
  if (found === undefined) return "null";
  const { price, basis, consumption, cbh } = found;
  return JSON.stringify({
    price: price.toString(),
    basis,
    consumption: consumption.toString(),
    cbh: toHex(cbh),
  });
}

export async function billAnswer(view: LedgerView, bid: Uint8Array, month: number): Promise<string> {
  const found = await view.bill(bid, month);
  if (found === undefined) return "null";
  return JSON.stringify({ revision: found.revision, cid: toHex(found.cid), hash: toHex(found.hash) });
}

/** Region-periods whose `aggFault` no verdict has closed; a query about a PRID does not exist. */
export async function openFaultsAnswer(stub: Stub): Promise<string> {
  const faults: object[] = [];
  for await (const { key, value } of stub.getStateByRange(FAULT_RANGE.start, FAULT_RANGE.end)) {
    const { region, period } = parseFaultKey(key);
    const { number, ts } = faultRecord.decode(value);
    faults.push({ region, ...period, number: number.toString(), ts: ts.toString() });
  }
  return JSON.stringify(faults);
}

export async function stateAnswer(stub: Stub, key: string): Promise<string> {
  return base64(await stub.getState(key));
}
