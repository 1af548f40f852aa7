import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import { encodeTime } from "../../src/transport/envelopes.js";
import { methodsOf, rpcOf } from "../../src/grpc/services.js";
import { Net } from "./net.js";

/** Deterministic noise (a linear congruential generator): what failed once fails again. */
function noise(count: number, seed: number): Buffer {
  let state = seed >>> 0;
  return Buffer.from(
    Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}

/** What may stand where a gRPC message should: noise, cut, oversized, with wrong lengths, compressed by nothing known. */
function hostile(seed: number): Buffer[] {
  const valid = Buffer.concat([Buffer.of(0, 0, 0, 0, 10, 0x0a, 8), noise(8, seed)]);
  const mutated = Array.from({ length: 8 }, (_, i) => {
    const copy = Buffer.from(valid);
    copy[i % copy.length] = (copy[i % copy.length] as number) ^ (1 << ((seed + i) % 8));
    return copy;
  });
  const oversized = Buffer.concat([Buffer.of(0, 0, 0, 0x20, 0), noise(8_192, seed)]);
  return [noise(64, seed), valid.subarray(0, 7), Buffer.of(0, 0xff, 0xff, 0xff, 0xff), oversized, ...mutated];
}

describe("hostile bytes", () => {
  let net: Net;
  let port: number;
  before(async () => {
    net = new Net();
    port = await net.serve(
      "meters",
      (_method, _request, reply) => {
        reply(encodeTime(1));
        return Promise.resolve();
      },
      { connections: 100, callsPerSecond: 1e6, callBurst: 1e6, connectionsPerSecond: 1e6, connectionBurst: 1e6 },
    );
  });
  after(async () => {
    await net.close();
  });

  async function session(): Promise<ClientHttp2Session> {
    const { certificate } = await net.authority("da/A");
    const made = connectHttp2(`https://localhost:${port}`, { ca: certificate });
    made.on("error", () => undefined);
    net.finally(() => {
      made.destroy();
    });
    await once(made, "connect");
    return made;
  }

  async function isServed(): Promise<void> {
    const answer = await net.ask(net.meter({ "da/A": port }), "da/A", "time", new Uint8Array());
    expect(answer).to.deep.equal(encodeTime(1));
  }

  it("in a message of any method end that call, and nothing else", async () => {
    for (const [i, method] of methodsOf("meters").entries()) {
      for (const bytes of hostile(i)) {
        const client = await session();
        const headers = { ":method": "POST", ":path": rpcOf(method).path, "content-type": "application/grpc" };
        const stream = client.request({ ...headers, te: "trailers" });
        stream.on("error", () => undefined);
        stream.resume();
        stream.end(bytes);
        await once(stream, "close");
        client.destroy();
      }
    }
    await isServed();
  });

  it("instead of HTTP/2, or of TLS, end that connection", async () => {
    const { certificate } = await net.authority("da/A");
    for (let i = 0; i < 20; i += 1) {
      const plain = connectTcp(port, "127.0.0.1");
      const secured = connectTls({
        port,
        host: "127.0.0.1",
        servername: "localhost",
        ca: certificate,
        ALPNProtocols: ["h2"],
      });
      for (const socket of [plain, secured]) {
        socket.on("error", () => undefined);
        socket.resume();
        const closed = once(socket, "close");
        socket.write(noise(200, i));
        socket.end();
        await closed;
      }
    }
    await isServed();
  });

  it("that never come, on 300 connections, keep nobody out", async () => {
    for (let i = 0; i < 300; i += 1) {
      const socket = connectTcp(port, "127.0.0.1");
      socket.on("error", () => undefined);
      net.finally(() => {
        socket.destroy();
      });
      await once(socket, "connect");
    }
    await isServed();
  });
});
