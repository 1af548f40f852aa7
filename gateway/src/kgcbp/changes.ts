import { VeilgridError, addPeriods, comparePeriods, equalBytes, monthName, type Period } from "@veilgrid/protocol";
import type { ChainRef, DeliveryNote, Enrolment, MeterChange } from "../ports/keystore.js";
import type { ChangePreview, ChangeRequest, Decision, Meanwhile, Standing, Supplied } from "./change-request.js";
import { heldKeys, isSilenced } from "./held-keys.js";

function refused(code: string, message: string, facts: Record<string, string | number>): VeilgridError {
  return new VeilgridError(code, message, { facts, blame: "operator" });
}

function periodFacts({ month, k }: Period): { month: string; k: number } {
  return { month: monthName(month), k };
}

/** The newest supply at the meter. @throws VeilgridError `unknown-meter`. */
function presentSupply({ meter }: ChangeRequest, { supplies }: Standing): Enrolment {
  const present = supplies.at(-1);
  if (present === undefined) throw refused("unknown-meter", `no meter ${meter} was ever enrolled`, { meter });
  return present;
}

/** "its own region, and the new one": where epochs say something of the meter before and after. */
function regionsOf(request: ChangeRequest, standing: Standing): number[] {
  if (request.kind === "add") return [request.region];
  const { region } = presentSupply(request, standing);
  if (isKeyKept(request)) return [];
  if (request.kind !== "move") return [region];
  if (request.region !== region) return [region, request.region].sort((a, b) => a - b);
  throw refused("same-region", `meter ${request.meter} is in region ${region} already`, { region });
}

function later(periods: readonly Period[]): Period {
  return periods.reduce((latest, period) => (comparePeriods(latest, period) < 0 ? period : latest));
}

/** The first period after a supply's own first one, or after its end where another supply follows it. */
function afterSupplies(request: ChangeRequest, { supplies, periodSeconds, next }: Standing): Period {
  const present = supplies.at(-1);
  if (request.kind === "add") return later([request.since ?? next, present?.to ?? next]);
  return present === undefined || isKeyKept(request) ? next : addPeriods(present.from, 1, periodSeconds);
}

/** A new device under the old keys: the register of supplies, and so every epoch, stays as it is. */
function isKeyKept(request: ChangeRequest): boolean {
  return request.kind === "replace" && request.key === "kept";
}

/**
 * The first period that the change holds for: "A meter that is added, removed, moved, re-keyed … changes with the next
 * epoch not yet sent".
 * @throws VeilgridError `period-sent`, `too-early`.
 */
function firstPeriod(request: ChangeRequest, regions: readonly number[], standing: Standing): Period {
  const { next, periodSeconds, sent } = standing;
  const free = sent
    .filter(({ region }) => regions.includes(region))
    .map(({ first, periods }) => addPeriods(first, periods, periodSeconds));
  const unsent = later([next, ...free]);
  const earliest = later([unsent, afterSupplies(request, standing)]);
  const { at } = request;
  if (at === undefined || comparePeriods(earliest, at) <= 0) return at ?? earliest;
  const first = `period ${earliest.k} of ${monthName(earliest.month)} is the first that`;
  const facts = { ...periodFacts(at), earliestMonth: monthName(earliest.month), earliestK: earliest.k };
  if (comparePeriods(next, at) <= 0 && comparePeriods(at, unsent) < 0) {
    throw refused("period-sent", `an epoch with it was sent, and what it says stays: ${first} can change`, facts);
  }
  throw refused("too-early", `the period has begun, or the meter's last change: ${first} can change`, facts);
}

/** @throws VeilgridError `supply-ended` for a change of a supply that is over by then. */
function requireSupplied({ meter, to }: Enrolment, from: Period): void {
  if (to === undefined || comparePeriods(from, to) < 0) return;
  throw refused("supply-ended", `the supply at meter ${meter} ends before the change`, periodFacts(to));
}

/** @throws VeilgridError `known-customer`. */
function requireNewCustomer({ bid }: Supplied, { knows }: Standing): void {
  if (knows(bid)) throw refused("known-customer", "the BID names another customer already", {});
}

/** @throws VeilgridError `known-meter` while the meter has a supply, `supply-ended`. */
function added(request: ChangeRequest & { kind: "add" }, standing: Standing, from: Period): Enrolment {
  const { meter, bid, recipient, region, device, to } = request;
  const present = standing.supplies.at(-1);
  if (present !== undefined && (present.to === undefined || comparePeriods(from, present.to) < 0)) {
    throw refused("known-meter", `meter ${meter} has a supply already`, { meter });
  }
  requireNewCustomer(request, standing);
  const begins = { meter, bid, recipient, region, device, from, to };
  requireSupplied(begins, from);
  return begins;
}

/** The supply that begins with the change, if one does. */
function beginning(request: ChangeRequest, standing: Standing, from: Period): Enrolment | undefined {
  if (request.kind === "add") return added(request, standing, from);
  const present = presentSupply(request, standing);
  requireSupplied(present, from);
  switch (request.kind) {
    case "remove":
      return undefined;
    case "replace":
      return request.key === "kept" ? undefined : { ...present, from };
    case "move":
      return { ...present, from, region: request.region };
    case "rekey":
      return { ...present, from };
    case "sell": {
      requireNewCustomer(request, standing);
      return { ...present, from, bid: request.bid, recipient: request.recipient };
    }
  }
}

/** Whether what the meter has must not be used any more. */
function isCompromised(request: ChangeRequest): boolean {
  return (request.kind === "replace" || request.kind === "rekey") && request.compromised;
}

/** A new device gets the keys that hold from its first whole period on, unless nobody may use them any more. */
function presentChain(
  request: ChangeRequest,
  { next }: Standing,
  { from, held }: { readonly from: Period; readonly held: readonly ChainRef[] },
): ChainRef[] {
  if (request.kind !== "replace" || request.compromised) return [];
  const first = isKeyKept(request) ? from : next;
  const present = held.findLast((chain) => !isAfter(chain.first, first));
  return present === undefined ? [] : [{ enrolment: present.enrolment, first }];
}

/**
 * What the meter is told: the keys that do not hold yet, the new ones last, so that a delivery that never arrived is
 * made good by the next one.
 * @throws VeilgridError `no-device` where nobody said what device the meter is; `same-device`.
 */
function noteOf(
  request: ChangeRequest,
  standing: Standing,
  { from, begins }: { readonly from: Period; readonly begins: Enrolment | undefined },
): DeliveryNote | undefined {
  if (request.kind === "remove") return undefined;
  const device = "device" in request ? request.device : standing.device;
  if (device === undefined) {
    throw refused("no-device", `nobody said what device meter ${request.meter} is`, { meter: request.meter });
  }
  const held = request.kind === "add" ? [] : heldKeys(standing);
  const present = presentChain(request, standing, { from, held });
  const after = present[0]?.first ?? standing.next;
  const waiting = isCompromised(request) ? [] : held.filter(({ first }) => isAfter(first, after));
  const fresh = begins === undefined ? [] : [{ enrolment: begins, first: begins.from }];
  return { device, keep: isKept(request, standing), chains: [...present, ...waiting, ...fresh] };
}

/** Keys that were to be deleted are so by the next delivery, too, should the one that said it have been lost. */
function isKept(request: ChangeRequest, standing: Standing): boolean {
  return isKnownDevice(request) && !isCompromised(request) && !isSilenced(standing, standing.next);
}

/** A new device has no keys that could hold until the first chain begins. */
function isKnownDevice({ kind }: ChangeRequest): boolean {
  return kind !== "add" && kind !== "replace";
}

function isAfter(a: Period, b: Period): boolean {
  return comparePeriods(a, b) > 0;
}

function meanwhileOf(request: ChangeRequest): Meanwhile {
  if (request.kind === "add") return "unsupplied";
  return isCompromised(request) ? "missing" : "counted";
}

/** The supply that ends: the removed one, or the seller's. */
function ending(request: ChangeRequest, standing: Standing, to: Period): Decision["ends"] {
  if (request.kind !== "remove" && request.kind !== "sell") return undefined;
  const { bid, from } = presentSupply(request, standing);
  return { enrolment: { bid, from }, to };
}

/** @throws VeilgridError `kept-and-compromised`, `same-device`. */
function requireSensible(request: ChangeRequest, { device }: Standing): void {
  if (request.kind !== "replace") return;
  if (request.key === "kept" && request.compromised) {
    throw refused("kept-and-compromised", "a key that somebody else may have cannot be kept", {});
  }
  if (request.device === device) {
    throw refused("same-device", `meter ${request.meter} is that device already`, { meter: request.meter });
  }
}

/**
 * Decides a change of a meter: from which period it holds, and what it makes of the register. A pure function, so that
 * what a preview shows is what the change does.
 * @throws VeilgridError `unknown-meter`, `known-meter`, `known-customer`, `supply-ended`, `same-region`, `same-device`,
 * `no-device`, `kept-and-compromised`; `period-sent` and `too-early` where `at` is before what is possible.
 */
export function decide(request: ChangeRequest, standing: Standing): Decision {
  requireSensible(request, standing);
  const { kind, meter } = request;
  const regions = regionsOf(request, standing);
  const from = firstPeriod(request, regions, standing);
  const begins = beginning(request, standing, from);
  const delivery = noteOf(request, standing, { from, begins });
  const preview: ChangePreview = {
    kind,
    meter,
    from,
    regions,
    sent: standing.sent.filter(({ region }) => regions.includes(region)),
    until: { from: standing.next, to: from, meanwhile: meanwhileOf(request) },
  };
  const serial = 1 + (standing.changes.at(-1)?.serial ?? 0);
  return { preview, change: { meter, serial, kind, from, delivery }, begins, ends: ending(request, standing, from) };
}

/** Whether a supply is the one that the request asks for. */
function isWished(request: ChangeRequest, supply: Enrolment | undefined): boolean {
  if ("region" in request && supply?.region !== request.region) return false;
  return !("bid" in request) || (supply !== undefined && equalBytes(supply.bid, request.bid));
}

/** Whether the meter was told the same. */
function isSameNote(request: ChangeRequest, { delivery }: MeterChange): boolean {
  if ("device" in request && request.device !== delivery?.device) return false;
  return request.kind !== "rekey" || delivery?.keep === !request.compromised;
}

/** A meter can be re-keyed again once the first time holds. */
function isSpent(request: ChangeRequest, { from }: MeterChange, { next }: Standing): boolean {
  return request.kind === "rekey" && comparePeriods(from, next) < 0;
}

/** The change that was decided for the same request before: asking again, after a crash say, changes nothing. */
export function decidedBefore(request: ChangeRequest, standing: Standing): MeterChange | undefined {
  const last = standing.changes.at(-1);
  const { kind, at } = request;
  if (last?.kind !== kind || isSpent(request, last, standing)) return undefined;
  if (at !== undefined && comparePeriods(at, last.from) !== 0) return undefined;
  if (!isSameNote(request, last)) return undefined;
  return isWished(request, standing.supplies.at(-1)) ? last : undefined;
}
