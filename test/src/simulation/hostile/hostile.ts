import type { Conduct, Handler, Method, Transport } from "@veilgrid/gateway";
import { isVeilgridError } from "@veilgrid/protocol";
import { Draw } from "../draw.js";
import type { AggregatorMaking } from "../plan.js";
import { aggregatorOf } from "../roles.js";
import { HOSTILITIES, type Hostility } from "../scenario.js";
import type { Role } from "../seat.js";
import { answers } from "./answers.js";
import { forgeries } from "./forgeries.js";
import { Pen } from "./signing.js";
import { sendings } from "./sendings.js";

/** What a hostile aggregator has to work with. */
export interface Tools {
  readonly pen: Pen;
  readonly draw: Draw;
  readonly making: AggregatorMaking;
  /** The network without anything in between. */
  readonly raw: Transport;
  /** Requests that it heard or sent, to be said again. */
  readonly heard: { readonly method: Method; readonly bytes: Uint8Array }[];
}

/** Answers a request in a hostile way; undefined where it leaves that to the honest part. */
export type Answering = (request: Uint8Array) => Uint8Array | "nothing" | undefined;

/** Sends a request in a hostile way; false where it leaves that to the honest part. */
export type Sending = (send: Transport["request"], ...args: Parameters<Transport["request"]>) => boolean;

const MOST_HEARD = 200;

/** What this aggregator does: some of all that is possible, the same in each of its lives. */
export function hostilitiesOf({ da, ground }: AggregatorMaking): ReadonlySet<Hostility> {
  const draw = new Draw(`hostile ${ground.consortium.scenario.seed} ${da}`);
  const chosen = HOSTILITIES.filter((one) => draw.chance(one === "says-nothing" ? 0.08 : 0.3));
  return new Set(chosen.length === 0 ? [draw.pick(HOSTILITIES)] : chosen);
}

/**
 * An aggregator whose operator is an enemy: the real one, for what it finds useful, between hostile answers and hostile
 * requests. It has its own key alone.
 */
export function hostileAggregator(making: AggregatorMaking): Role {
  const does = hostilitiesOf(making);
  const raw = making.modules.transport;
  const draw = new Draw(`mischief ${making.ground.consortium.scenario.seed} ${making.da}`);
  const tools: Tools = { pen: new Pen(making.da, making.ground.consortium), draw, making, raw, heard: [] };
  const sending = sendings(does, tools);
  const transport: Transport = {
    request: (...args) => {
      if (!sending.some((one) => one(raw.request.bind(raw), ...args))) raw.request(...args);
    },
  };
  // "the leader may choose whom a block leaves out": the first meter's half of each.
  const conduct: Conduct = { select: (readings) => (does.has("omits") ? readings.slice(1) : readings) };
  const honest = aggregatorOf(making.da, { ...making.modules, transport }, conduct);
  const answering = answers(does, tools);
  const handle: Handler = async (method, request, reply, from) => {
    if (tools.heard.length < MOST_HEARD) tools.heard.push({ method, bytes: request });
    const own = lenient(() => answering[method]?.(request));
    if (own === undefined) await honest.handle(method, request, reply, from);
    else if (own !== "nothing") reply(own);
  };
  return {
    start: async () => {
      await honest.start();
      forgeries(does, tools);
    },
    handle,
    onLedgerEvent: (event) => honest.onLedgerEvent(event),
  };
}

/** What it cannot read it leaves to its honest part. */
function lenient<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isVeilgridError(error)) return undefined;
    throw error;
  }
}
