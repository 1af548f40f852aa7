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
  type Period,
} from "@veilgrid/protocol";
import type { ChaincodeStub } from "fabric-shim";

// Answers are JSON with a fixed order of fields; bytes are lower-case hex, bulk bytes base64, 64-bit integers strings.
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** @throws VeilgridError `bad-argument` for anything but a canonical decimal integer in [0, limit]. */
export function integerArgument(name: string, text: string, limit: number): number {
  const value = Number(text);
  if (/^(?:0|[1-9]\d*)$/.test(text) && value <= limit) return value;
  throw badArgument(name, text);
}

function badArgument(name: string, text: string): VeilgridError {
  return new VeilgridError("bad-argument", `argument ${name} is not what the query takes`, {
    facts: { name, text: text.slice(0, 80) },
    blame: "caller",
  });
}

/** A region's number, 0 meaning chain 0. */
export function regionArgument(text: string): number {
  return integerArgument("region", text, 0xffff);
}

/** A period as month "YYYY-MM" and k. */
export function periodArgument(month: string, k: string): Period {
  return { month: monthOf(month), k: integerArgument("k", k, 2975) };
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

export async function blockAnswer(view: LedgerView, region: number, number: string): Promise<string> {
  if (!/^[1-9]\d{0,18}$/.test(number)) throw badArgument("number", number);
  const found = await view.block(region, BigInt(number));
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
  const mask = await view.maskBody(region, period);
  const { status, z, sum } = record;
  return JSON.stringify({ status, z: z.toString(), sum: sum.toString(), excluded: mask?.excluded.map(toHex) ?? [] });
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

export async function billAnswer(view: LedgerView, bid: string, month: string): Promise<string> {
  if (!/^[0-9a-f]{32}$/.test(bid)) throw badArgument("bid", bid);
  const found = await view.bill(fromHex(bid), monthOf(month));
  if (found === undefined) return "null";
  return JSON.stringify({ revision: found.revision, cid: toHex(found.cid), hash: toHex(found.hash) });
}

/** Region-periods whose `aggFault` no verdict has closed; a query about a PRID does not exist. */
export async function openFaultsAnswer(stub: ChaincodeStub): Promise<string> {
  const faults: object[] = [];
  for await (const { key, value } of stub.getStateByRange(FAULT_RANGE.start, FAULT_RANGE.end)) {
    const { region, period } = parseFaultKey(key);
    const { number, ts } = faultRecord.decode(value);
    faults.push({ region, ...period, number: number.toString(), ts: ts.toString() });
  }
  return JSON.stringify(faults);
}
