import {
  KIND,
  closeCodec,
  compareBytes,
  electionCodec,
  encodeLeaf,
  readingHash,
  timeoutCodec,
  type SigKind,
} from "@veilgrid/protocol";
import { expect } from "chai";
import fc from "fast-check";
import { call, type Outcome } from "../../src/grpc/asking.js";
import { connect, trusting } from "../../src/grpc/endpoint.js";
import type { Audience } from "../../src/grpc/services.js";
import type { Address, Handler, Method } from "../../src/ports/transport.js";
import { encodeDeliveryWish } from "../../src/transport/delivery-wish.js";
import { encodeBodiesWish, encodeBundle, encodeListsWish, encodeTransaction } from "../../src/transport/envelopes.js";
import { readingsProposal } from "../da/forge.js";
import { FIRST, Grid } from "../da/grid.js";
import { SECRETS, paramsOf, secretOf } from "../support/committee.js";
import { homeOf } from "../support/homes.js";
import { Town } from "../support/town.js";
import { mutated } from "./mutations.js";
import { Net } from "./net.js";

const LIMITS = { callsPerSecond: 1e6, callBurst: 1e6, requestMs: 2_000, callMs: 2_050 };
/** Messages of each kind; fast-check prints the seed of what fails. */
const RUNS = { numRuns: 30 };

type Ask = (method: Method, request: Uint8Array) => Promise<Outcome>;

describe("messages that were changed on their way", function () {
  this.timeout(20_000);
  let net: Net;
  let grid: Grid;
  before(async () => {
    net = new Net();
    grid = await new Grid().start();
    await grid.commitEpoch(1, 4, 5);
    await grid.run(grid.window(FIRST).opens);
  });
  after(async () => {
    await net.close();
  });

  /** A client of a server with this handler, by the certificate of `from` or as nobody. */
  async function client(audience: Audience, handler: Handler, from?: Address): Promise<Ask> {
    const port = await net.serve(audience, handler, LIMITS);
    const endpoint = (await net.endpoints({ "da/A": port })).get("da/A");
    if (endpoint === undefined) throw new Error("no endpoint");
    const identity = from === undefined ? undefined : await net.identity(from);
    const made = connect(endpoint, trusting(endpoint.authority, identity), {});
    net.finally(() => {
      made.close();
    });
    return (method, request) =>
      new Promise((resolve) => {
        call(made, { to: "da/A", method, request }, Date.now() + 5_000, resolve);
      });
  }

  /** A client of the grid's first aggregator. */
  function organisation(from: "da/B" | "cc" | "kgcbp"): Promise<Ask> {
    const handler: Handler = (method, request, reply, who) =>
      grid.aggregator(0).handle(method, request, reply, who === "da/B" ? "da/Da1" : who);
    return client("organisations", handler, from);
  }

  async function holds(ask: Ask, method: Method, requests: fc.Arbitrary<Uint8Array>): Promise<void> {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const outcome = await ask(method, request);
        // A call whose answer waits for virtual time is ended by the server.
        expect("response" in outcome || outcome.error.code === "deadline").to.equal(true);
      }),
      RUNS,
    );
    expect(net.lines.filter(({ event }) => event === "request-failed")).to.deep.equal([]);
  }

  /** Bodies that are changed before they are signed, so that it is not their signature that they are refused for. */
  function signed(kind: SigKind, body: Uint8Array, secret = secretOf("da1")): fc.Arbitrary<Uint8Array> {
    const sign = (bytes: Uint8Array): Uint8Array => encodeLeaf(bytes, grid.sign(kind, bytes, secret));
    const resigned = mutated([body])
      .filter(({ length }) => length > 0)
      .map(sign);
    return fc.oneof(resigned, mutated([sign(body)]));
  }

  it("fail no aggregator, of whatever method another may ask", async () => {
    const ask = await organisation("da/B");
    const readings = [0, 1].map((meter) => grid.reading(1, FIRST, meter, 0));
    const bundle = readings.toSorted((a, b) => compareBytes(readingHash(a), readingHash(b)));
    const hashes = bundle.map((reading) => readingHash(reading));
    await holds(ask, "forward", mutated([encodeBundle(bundle), encodeBundle(bundle.slice(1))]));
    await holds(ask, "bodies", mutated([encodeBodiesWish({ region: 1, period: FIRST, hashes })]));
    await holds(ask, "lists", mutated([encodeListsWish({ region: 1, first: FIRST, periods: 4 })]));
    await holds(ask, "propose", mutated([await readingsProposal(grid, readings, { leader: 1 })]));
    await holds(ask, "timeout", signed("timeout", timeoutCodec.encode({ params: 1, term: 1n, da: 1 })));
    const candidacy = { params: 1, term: 2n, candidate: 1, voter: 1 };
    await holds(ask, "elect", signed("election", electionCodec.encode(candidacy)));
    await holds(ask, "timeouts", mutated([new Uint8Array()]));
  });

  it("fail no aggregator, of what KGCBP may ask", async () => {
    const ask = await organisation("kgcbp");
    const { transaction, lists } = grid.epoch(1, { month: FIRST.month, k: FIRST.k + 4 }, 2, 5);
    await holds(ask, "transaction", mutated([transaction]));
    const close = closeCodec.encode({ region: 1, month: FIRST.month });
    const leaves = signed("close", close, SECRETS.kgcbp);
    const closing = leaves.map((leaf) => (leaf.length === 0 ? leaf : encodeTransaction({ kind: KIND.close, leaf })));
    await holds(ask, "transaction", closing);
    await holds(ask, "lists", mutated([lists]));
  });

  it("fail no KGCBP at its counter for devices", async () => {
    const params = paramsOf();
    const [from, to] = [FIRST, { month: FIRST.month, k: FIRST.k + 8 }];
    const homes = await Promise.all(["a", "b", "c", "d", "e"].map((name) => homeOf(name, 1, from, to)));
    const town = new Town({ homes, params, start: Date.UTC(2013, 3, 7) });
    await town.setUp();
    await town.settle();
    const { kgcbp } = town;
    if (kgcbp === undefined) throw new Error("no KGCBP");
    const device = homes[0]?.enrolment.recipient ?? "";
    const ask = await client("devices", kgcbp.handle);
    await holds(ask, "delivery", mutated([encodeDeliveryWish({ device, serial: 0 })]));
  });
});
