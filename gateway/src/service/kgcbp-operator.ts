import { randomBytes } from "node:crypto";
import { VeilgridError, type Period } from "@veilgrid/protocol";
import { requireRecipient } from "../bill/encryption.js";
import { meterLogOf, type MeterLogJson } from "../input/meter-log.js";
import type { Backup } from "../kgcbp/backup.js";
import type { CaseView } from "../kgcbp/case-desk.js";
import type { ChangeDesk, MeterStanding } from "../kgcbp/change-desk.js";
import type { ChangeRequest } from "../kgcbp/change-request.js";
import type { Kgcbp } from "../kgcbp/kgcbp.js";
import type { MeterOrder, OperatedKgcbp, OrderResult } from "../kgcbp/operator.js";

const BID_BYTES = 16;

/** What takes base copies. */
type CopiedBackup = Pick<Backup, "copy">;

type Asked<Name extends keyof OperatedKgcbp> = Parameters<OperatedKgcbp[Name]>[0];
type Given<Name extends keyof OperatedKgcbp> = ReturnType<OperatedKgcbp[Name]>;

/**
 * A running KGCBP, as its operator has it work. Customers and devices are others', known by their age recipients; BIDs are
 * drawn here. Each method's steps are the role's own, so they are durable before it resolves, and safe beside everything
 * else that the service does.
 */
export class ServedKgcbp implements OperatedKgcbp {
  readonly #role: Kgcbp;
  readonly #backup: CopiedBackup;

  constructor(role: Kgcbp, backup: CopiedBackup) {
    this.#role = role;
    this.#backup = backup;
  }

  copy(): Given<"copy"> {
    return this.#backup.copy();
  }

  months(): Given<"months"> {
    return this.#role.retention.list();
  }

  erase({ month, ...how }: Asked<"erase">): Given<"erase"> {
    return this.#role.retention.erase(month, how);
  }

  cases(): Given<"cases"> {
    return this.#role.cases.list();
  }

  compare({ region, period, logs }: Asked<"compare">): Given<"compare"> {
    return compareLogs(this.#role, { region, period, logs });
  }

  count({ meter, counts, from, dryRun }: Asked<"count">): Given<"count"> {
    const { elimination } = this.#role;
    const options = { ...(from === undefined ? {} : { from }), dryRun };
    return counts ? elimination.reinstate(meter, options) : elimination.eliminate(meter, options);
  }

  settle({ meter, values, reason, dryRun }: Asked<"settle">): Given<"settle"> {
    return this.#role.settling.settle(meter, values, { ...(reason === undefined ? {} : { reason }), dryRun });
  }

  meters(): Given<"meters"> {
    return Promise.resolve(this.#role.meters.list());
  }

  /** @throws VeilgridError as ChangeDesk; `bad-recipient`, `known-device`. */
  async change({ order, dryRun }: Asked<"change">): Promise<OrderResult> {
    const { meters } = this.#role;
    const request = await requestOf(order, meters);
    if (dryRun) return { preview: await meters.preview(request) };
    const result = await meters.change(request);
    return "bid" in request ? { ...result, bid: request.bid } : result;
  }
}

/** Compares the given logs with a case. @throws VeilgridError as CaseDesk; `bad-meter-log`. */
export function compareLogs(
  { cases }: Kgcbp,
  {
    region,
    period,
    logs,
  }: { readonly region: number; readonly period: Period; readonly logs: readonly MeterLogJson[] },
): Promise<CaseView> {
  if (logs.length === 0) return cases.of(region, period);
  const byMeter = new Map(logs.map((json) => [json.meter, meterLogOf(json)]));
  return cases.compare(region, period, (meter, at) => byMeter.get(meter)?.of(at));
}

/** What is asked of the desk. */
async function requestOf(order: MeterOrder, meters: ChangeDesk): Promise<ChangeRequest> {
  switch (order.kind) {
    case "add": {
      const { kind, meter, at, region, customer, device } = order;
      await requireDevice(meter, device, meters.list());
      return { kind, meter, at, region, device, ...(await supplied(order, customer, meters)) };
    }
    case "replace":
      await requireDevice(order.meter, order.device, meters.list());
      return order;
    case "sell":
      return {
        kind: order.kind,
        meter: order.meter,
        at: order.at,
        ...(await supplied(order, order.customer, meters)),
      };
    case "remove":
    case "move":
    case "rekey":
      return order;
  }
}

/** @throws VeilgridError `bad-recipient`; `known-device` for a device that is, or was, another meter's. */
async function requireDevice(meter: string, device: string, standings: readonly MeterStanding[]): Promise<void> {
  await requireRecipient(device);
  const other = standings.find(
    (one) =>
      one.meter !== meter &&
      (one.changes.some(({ delivery }) => delivery?.device === device) ||
        one.supplies.some((supply) => supply.device === device)),
  );
  if (other === undefined) return;
  throw new VeilgridError(
    "known-device",
    `the device is meter ${other.meter}: each device has an age identity of its own`,
    {
      facts: { meter, other: other.meter },
      blame: "operator",
    },
  );
}

/**
 * Who is supplied: a BID that was never used before, unless the very same was asked for before and is asked for again.
 * @throws VeilgridError `bad-recipient`.
 */
async function supplied(
  { kind, meter }: MeterOrder,
  recipient: string,
  meters: ChangeDesk,
): Promise<{ readonly bid: Uint8Array; readonly recipient: string }> {
  await requireRecipient(recipient);
  const standing = meters.list().find((one) => one.meter === meter);
  const newest = standing?.supplies.at(-1);
  const isAgain = standing?.changes.at(-1)?.kind === kind && newest?.recipient === recipient;
  return { recipient, bid: isAgain ? newest.bid : new Uint8Array(randomBytes(BID_BYTES)) };
}
