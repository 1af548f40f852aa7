import { createHook } from "node:async_hooks";
import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { Socket, connect as connectTcp } from "node:net";
import { expect } from "chai";
import { Bucket } from "../../src/grpc/bucket.js";
import { Callers, networkOf } from "../../src/grpc/callers.js";
import { Connection } from "../../src/grpc/connections.js";
import { LIMITS, type Limits } from "../../src/grpc/limits.js";
import { Said } from "../../src/process/said.js";
import { Turns } from "../../src/grpc/turns.js";
import type { Handler } from "../../src/ports/transport.js";
import { Net } from "./net.js";

const DEADLINE_EXCEEDED = 4;

const echo: Handler = (_method, request, reply) => {
  reply(request);
  return Promise.resolve();
};

/** A gRPC message of `body`, whose first field it is. */
function framed(body: Uint8Array): Buffer {
  const message = Buffer.concat([Buffer.of(0x0a, body.length), body]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

describe("the limits of a server", () => {
  let net: Net;
  beforeEach(() => {
    net = new Net();
  });
  afterEach(async () => {
    await net.close();
  });

  async function session(port: number): Promise<ClientHttp2Session> {
    const { certificate } = await net.authority("da/A");
    const made = connectHttp2(`https://localhost:${port}`, { ca: certificate });
    made.on("error", () => undefined);
    net.finally(() => {
      made.destroy();
    });
    await once(made, "remoteSettings");
    return made;
  }

  /** A call whose request is begun with `part` and not ended: the status that comes, -1 for none. */
  function statusOf(client: ClientHttp2Session, part: Buffer): Promise<number> {
    const stream = client.request({
      ":method": "POST",
      ":path": "/veilgrid.v1.ReadingIntake/Time",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => undefined);
    stream.write(part);
    stream.resume();
    return new Promise((resolve) => {
      const hear = (headers: Readonly<Record<string, unknown>>): void => {
        if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
      };
      stream.on("response", hear);
      stream.on("trailers", hear);
      stream.on("close", () => {
        resolve(-1);
      });
    });
  }

  async function serve(limits: Partial<Limits>, handler: Handler = echo): Promise<number> {
    return net.serve("meters", handler, limits);
  }

  it("on the size of a request", async () => {
    const transport = net.meter({ "da/A": await serve({}) });
    expect(await net.ask(transport, "da/A", "reading", new Uint8Array(1_024))).to.have.length(1_024);
    expect(await net.ask(transport, "da/A", "reading", new Uint8Array(1_100))).to.equal("too-large");
  });

  it("on the rate of calls", async () => {
    const transport = net.meter({ "da/A": await serve({ callsPerSecond: 0.001, callBurst: 2 }) });
    const outcomes: unknown[] = [];
    for (let i = 0; i < 3; i += 1) outcomes.push(await net.ask(transport, "da/A", "time", Uint8Array.of(i)));
    expect(outcomes).to.deep.equal([Uint8Array.of(0), Uint8Array.of(1), "busy"]);
  });

  it("on calls at a time", async () => {
    let reached: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const port = await serve({ calls: 1 }, () => {
      reached();
      return Promise.resolve();
    });
    const transport = net.meter({ "da/A": port });
    void net.ask(transport, "da/A", "reading", new Uint8Array());
    await waiting;
    expect(await net.ask(transport, "da/A", "time", new Uint8Array())).to.equal("busy");
  });

  it("on streams of a connection, told to its client by HTTP/2", async () => {
    const client = await session(await serve({ streams: 3 }));
    expect(client.remoteSettings.maxConcurrentStreams).to.equal(3);
  });

  it("on the rate of connections, before anything is spent on them", async () => {
    const transport = net.meter({ "da/A": await serve({ connectionsPerSecond: 0.001, connectionBurst: 1 }) });
    expect(await net.ask(transport, "da/A", "time", Uint8Array.of(1))).to.deep.equal(Uint8Array.of(1));
    expect(await net.ask(transport, "da/A", "time", Uint8Array.of(2))).to.equal("unreachable");
    expect(new Set(net.dropped)).to.deep.equal(new Set(["too-many-connections"]));
  });

  it("on a request that comes too slowly: it is ended, and others are served meanwhile", async () => {
    const port = await serve({ requestMs: 300 });
    const slow = statusOf(await session(port), framed(Buffer.alloc(64)).subarray(0, 9));
    const transport = net.meter({ "da/A": port });
    expect(await net.ask(transport, "da/A", "time", Uint8Array.of(1))).to.deep.equal(Uint8Array.of(1));
    expect(await slow).to.equal(DEADLINE_EXCEEDED);
  });

  it("on a call that its role does not answer", async () => {
    const port = await serve({ requestMs: 100, callMs: 200 }, () => Promise.resolve());
    const client = await session(port);
    const stream = client.request({
      ":method": "POST",
      ":path": "/veilgrid.v1.ReadingIntake/Time",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(framed(Buffer.alloc(4)));
    const [headers] = (await once(stream, "response")) as [Readonly<Record<string, unknown>>];
    expect(Number(headers["grpc-status"])).to.equal(DEADLINE_EXCEEDED);
    expect(net.calls.map(({ outcome }) => outcome)).to.deep.equal(["deadline-exceeded"]);
  });

  it("on a handshake that does not come, and on a connection without a call", async () => {
    const silent = connectTcp(await serve({ handshakeMs: 150 }), "127.0.0.1");
    const idle = await session(await serve({ idleMs: 200 }));
    await Promise.all([once(silent, "close"), once(idle, "close")]);
    expect(net.dropped.toSorted()).to.deep.equal(["handshake", "idle"]);
  });

  it("on what is spent on a caller who says nothing: TLS begins with the first byte", async () => {
    const { port } = await net.server("meters", echo, { handshakeMs: 150 });
    let sessions = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === "TLSWRAP") sessions += 1;
      },
    }).enable();
    net.finally(() => {
      hook.disable();
    });
    const silent = connectTcp(port, "127.0.0.1");
    await once(silent, "close");
    expect([sessions, net.dropped]).to.deep.equal([0, ["handshake"]]);
    const speaking = connectTcp(port, "127.0.0.1");
    speaking.write("no TLS");
    speaking.resume();
    await once(speaking, "close");
    expect(sessions).to.equal(1);
  });

  it("on bytes of a connection", async () => {
    const client = await session(await serve({ connectionBytes: 1_200 }));
    for (let i = 0; i < 40 && !client.destroyed; i += 1) client.ping(Buffer.alloc(8), () => undefined);
    for (let i = 0; i < 40 && !client.destroyed; i += 1) void statusOf(client, framed(Buffer.alloc(100)));
    if (!client.destroyed) await once(client, "close");
    expect(net.dropped).to.deep.equal(["too-many-bytes"]);
  });

  it("on open connections: the longest without a call makes room, and whoever asks is served", async () => {
    const server = await net.server("meters", echo, { connections: 5 });
    const sockets: Socket[] = [];
    for (let i = 0; i < 20; i += 1) {
      const socket = connectTcp(server.port, "127.0.0.1");
      socket.on("error", () => undefined);
      sockets.push(socket);
      await once(socket, "connect");
    }
    const transport = net.meter({ "da/A": server.port });
    expect(await net.ask(transport, "da/A", "time", Uint8Array.of(1))).to.deep.equal(Uint8Array.of(1));
    expect(server.connections).to.be.at.most(5);
    for (const socket of sockets) socket.destroy();
  });

  it("forgets callers that are gone, and takes 64 bits of an IPv6 address for one", () => {
    const callers = new Callers({ ...LIMITS.meters, connectionBurst: 10, connectionsPerSecond: 10, callBurst: 1 });
    callers.get("203.0.113.1", 0).connectionRate.take(0);
    callers.get("203.0.113.2", 0).connections = 1;
    callers.sweep(50);
    expect(callers.size).to.equal(2);
    callers.sweep(1_000);
    expect(callers.size).to.equal(1);
    expect(networkOf("::ffff:203.0.113.9")).to.equal("203.0.113.9");
    expect(networkOf("2001:db8:1:2:3:4:5:6")).to.equal("2001:db8:1:2");
    expect(networkOf("2001:db8::6")).to.equal("2001:db8:0:0");
    expect(networkOf("fe80::1%eth0")).to.equal("fe80:0:0:0");
  });

  it("on what is logged of callers: each once in a while, and not more than so many", () => {
    const said = new Said({ most: 2, forMs: 1_000 });
    expect(["a", "a", "b", "c"].map((what) => said.isNews(what, 500))).to.deep.equal([true, false, true, false]);
    expect(["a", "c", "b"].map((what) => said.isNews(what, 1_600))).to.deep.equal([true, true, false]);
  });

  it("are shared out by turns: whose network had its turn longest ago begins first, one in each turn of the loop", async () => {
    const begun: string[] = [];
    let under = 0;
    const turns = new Turns(({ peer }) => {
      expect(under, "one a turn").to.equal(0);
      under += 1;
      begun.push(peer);
    });
    const callers = new Callers(LIMITS.meters);
    const come = (network: string, peer: string): Socket => {
      const socket = new Socket();
      turns.wait(new Connection(peer, socket, callers.get(network, 0), 0));
      return socket;
    };
    const turn = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i += 1) {
        await new Promise(setImmediate);
        under = 0;
      }
    };
    for (let i = 0; i < 3; i += 1) for (const network of ["a", "b"]) come(network, `${network}${i}`);
    await turn(2);
    come("c", "c0").destroy();
    come("d", "d0");
    await turn(1);
    come("a", "a3");
    await turn(6);
    expect(begun).to.deep.equal(["a0", "b0", "d0", "a1", "b1", "a2", "b2", "a3"]);
  });

  it("are of a bucket: so many at once, then so many a second", () => {
    const bucket = new Bucket({ perSecond: 2, burst: 3 }, 0);
    const taken = (now: number): boolean[] => Array.from({ length: 4 }, () => bucket.take(now));
    expect(taken(0)).to.deep.equal([true, true, true, false]);
    expect(taken(1_000)).to.deep.equal([true, true, false, false]);
    expect(taken(100_000)).to.deep.equal([true, true, true, false]);
  });
});
