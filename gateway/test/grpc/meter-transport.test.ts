import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";
import { expect } from "chai";
import { MeterTransport } from "../../src/grpc/meter-transport.js";
import { parseProxy } from "../../src/grpc/socks.js";
import type { Handler } from "../../src/ports/transport.js";
import { Net, codeOf } from "./net.js";

const echo: Handler = (_method, request, reply) => {
  reply(request);
  return Promise.resolve();
};

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Passes on what either says, until one of them goes: then both are gone. */
function join(local: Socket, remote: Socket): void {
  pipeline(local, remote, local, () => undefined);
}

/** Passes connections on to a port, and keeps what each client said first. */
async function recorder(net: Net, target: number): Promise<{ readonly port: number; readonly hellos: Buffer[] }> {
  const hellos: Buffer[] = [];
  const server = createServer((local) => {
    const remote = connect(target, "127.0.0.1");
    local.once("data", (hello) => hellos.push(Buffer.from(hello)));
    join(local, remote);
  });
  net.finally(() => {
    server.close();
  });
  return { port: await listen(server), hellos };
}

/** The extensions of a TLS ClientHello (RFC 8446, 4.1.2) by their numbers. */
function extensions(record: Buffer): Map<number, Buffer> {
  // Record header 5, handshake header 4, version 2, random 32.
  let at = 43;
  at += 1 + record.readUInt8(at);
  at += 2 + record.readUInt16BE(at);
  at += 1 + record.readUInt8(at);
  const end = at + 2 + record.readUInt16BE(at);
  const found = new Map<number, Buffer>();
  for (at += 2; at < end;) {
    const length = record.readUInt16BE(at + 2);
    found.set(record.readUInt16BE(at), record.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

const PRE_SHARED_KEY = 41;
const SESSION_TICKET = 35;

/** What a client asked a SOCKS5 proxy for. */
interface Asked {
  readonly name: string;
  readonly user: string;
}

async function read(socket: Socket): Promise<Buffer> {
  return ((await once(socket, "data")) as [Buffer])[0];
}

/** One client of a SOCKS5 proxy (RFC 1928, RFC 1929) that wants a name, and leads to one port whatever it is asked for. */
async function proxied(socket: Socket, target: number): Promise<Asked> {
  await read(socket);
  socket.write(Buffer.of(5, 2));
  const login = await read(socket);
  const user = login.subarray(2, 2 + login.readUInt8(1)).toString();
  socket.write(Buffer.of(1, 0));
  const wish = await read(socket);
  // Type 3 is a name, which the proxy resolves.
  const name = wish[3] === 3 ? wish.subarray(5, 5 + wish.readUInt8(4)).toString() : `type ${wish[3] ?? 0}`;
  const remote = connect(target, "127.0.0.1");
  await once(remote, "connect");
  socket.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
  join(socket, remote);
  return { name, user };
}

async function socksProxy(net: Net, target: number): Promise<{ readonly port: number; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    void proxied(socket, target).then((one) => asked.push(one));
  });
  net.finally(() => {
    server.close();
  });
  return { port: await listen(server), asked };
}

describe("a meter's transport", () => {
  let net: Net;
  beforeEach(() => {
    net = new Net();
  });
  afterEach(async () => {
    await net.close();
  });

  it("has a connection of its own for each half, and resumes no session", async () => {
    const { port, hellos } = await recorder(net, await net.serve("meters", echo));
    const transport = net.meter({ "da/A": port });
    // The halves at once, and the time and a later half after them.
    await Promise.all([1, 2].map((half) => net.ask(transport, "da/A", "reading", Uint8Array.of(half))));
    await net.ask(transport, "da/A", "time", new Uint8Array());
    await net.ask(transport, "da/A", "reading", Uint8Array.of(3));
    expect(hellos).to.have.length(4);
    for (const hello of hellos) {
      const said = extensions(hello);
      expect(said.has(PRE_SHARED_KEY)).to.equal(false);
      expect(said.get(SESSION_TICKET) ?? Buffer.alloc(0)).to.have.length(0);
    }
    // Each has a random of its own, and nothing else tells them apart.
    const distinct = (of: (hello: Buffer) => unknown): number => new Set(hellos.map(of)).size;
    expect(distinct((hello) => hello.subarray(11, 43).toString("hex"))).to.equal(4);
    expect(distinct((hello) => [...extensions(hello).keys()].join(" "))).to.equal(1);
    expect(distinct((hello) => hello.length)).to.equal(1);
  });

  it("closes each connection when its answer is there", async () => {
    const server = await net.server("meters", echo, { idleMs: 60_000 });
    const transport = net.meter({ "da/A": server.port });
    for (let i = 0; i < 5; i += 1) await net.ask(transport, "da/A", "time", new Uint8Array());
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.connections).to.equal(0);
  });

  it("goes through a SOCKS5 proxy, which resolves the name, each time as somebody else", async () => {
    const proxy = await socksProxy(net, await net.serve("meters", echo));
    const { certificate } = await net.authority("da/A");
    const endpoint = { target: "aggregator.invalid:7051", authority: certificate, serverName: "localhost" };
    const options = { endpoints: () => new Map([["da/A", endpoint]]), proxy: `socks5h://127.0.0.1:${proxy.port}` };
    const transport = new MeterTransport(options, net);
    net.finally(() => {
      transport.close();
    });
    for (const half of [1, 2]) {
      expect(await net.ask(transport, "da/A", "reading", Uint8Array.of(half))).to.deep.equal(Uint8Array.of(half));
    }
    expect(proxy.asked.map(({ name }) => name)).to.deep.equal(["aggregator.invalid", "aggregator.invalid"]);
    expect(new Set(proxy.asked.map(({ user }) => user)).size).to.equal(2);
  });

  it("says so where the proxy is not there, and never goes past it", async () => {
    let heard = 0;
    const port = await net.serve("meters", (_method, request, reply) => {
      heard += 1;
      reply(request);
      return Promise.resolve();
    });
    const transport = net.meter({ "da/A": port }, "socks5h://127.0.0.1:1");
    expect(await net.ask(transport, "da/A", "reading", new Uint8Array())).to.equal("unreachable");
    expect(heard).to.equal(0);
    expect(net.lines.map(({ event }) => event)).to.include("proxy-failed");
  });

  it("takes no other kind of proxy", async () => {
    expect(parseProxy("socks5h://127.0.0.1:9050")).to.deep.equal({ host: "127.0.0.1", port: 9_050 });
    expect(parseProxy("socks5h://[::1]:9050/")).to.deep.equal({ host: "::1", port: 9_050 });
    for (const text of ["socks5://127.0.0.1:9050", "http://127.0.0.1:80", "socks5h://host", "socks5h://h:0", "9050"]) {
      expect(await codeOf(() => parseProxy(text))).to.equal("bad-proxy");
    }
  });
});
