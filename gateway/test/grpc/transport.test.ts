import { Client, credentials, status } from "@grpc/grpc-js";
import { concat } from "@veilgrid/protocol";
import { expect } from "chai";
import { service as healthService } from "grpc-health-check";
import { fromGrpc } from "../../src/grpc/errors.js";
import { methodsOf } from "../../src/grpc/services.js";
import type { Handler } from "../../src/ports/transport.js";
import { Net, codeOf } from "./net.js";
import { GrpcTransport } from "../../src/grpc/transport.js";

/** Gives back what it is asked, then the asker's name. */
const echo: Handler = (_method, request, reply, from = "") => {
  reply(concat(request, Buffer.from(from)));
  return Promise.resolve();
};

describe("a transport over gRPC", () => {
  let net: Net;
  beforeEach(() => {
    net = new Net();
  });
  afterEach(async () => {
    await net.close();
  });

  async function toServer(port: number, deadline?: number): Promise<GrpcTransport> {
    return net.organisation(await net.endpoints({ "da/A": port }), await net.identity("da/B"), deadline);
  }

  it("carries every method of organisations there and back, and says who asks", async () => {
    const seen: string[] = [];
    const port = await net.serve("organisations", (method, request, reply, from) => {
      seen.push(method);
      return echo(method, request, reply, from);
    });
    const transport = await toServer(port);
    for (const method of methodsOf("organisations")) {
      const response = await net.ask(transport, "da/A", method, Buffer.from(`${method} of `));
      expect(Buffer.from(response).toString()).to.equal(`${method} of da/B`);
    }
    expect(seen).to.have.length(8);
    expect(seen).to.deep.equal(methodsOf("organisations"));
    expect(
      net.calls.filter(({ side, outcome, peer }) => `${side} ${outcome} ${peer ?? ""}` === "server ok da/B"),
    ).to.have.length(8);
  });

  it("carries every method of meters and of devices, and knows nobody", async () => {
    const froms: unknown[] = [];
    const handler: Handler = (method, request, reply, from) => {
      froms.push(from);
      return echo(method, request, reply);
    };
    const [intake, counter] = [await net.serve("meters", handler), await net.serve("devices", handler)];
    const transport = net.meter({ "da/A": intake, kgcbp: counter });
    for (const method of [...methodsOf("meters"), ...methodsOf("devices")]) {
      const to = method === "delivery" ? "kgcbp" : "da/A";
      expect(await net.ask(transport, to, method, Uint8Array.of(1, 2, 3))).to.deep.equal(Uint8Array.of(1, 2, 3));
    }
    expect(froms).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it("carries the largest proposal, and nothing above", async () => {
    const port = await net.serve("organisations", echo);
    const transport = await toServer(port, 20_000);
    const largest = await net.ask(transport, "da/A", "lists", new Uint8Array(2_097_152).fill(7));
    expect(largest).to.have.length(2_097_152 + "da/B".length);
    expect(await net.ask(transport, "da/A", "timeouts", new Uint8Array(2_100_000))).to.equal("too-large");
  });

  it("gives a request up at its deadline, and knows nobody whom it was not told of", async () => {
    const port = await net.serve("organisations", () => Promise.resolve());
    const transport = await toServer(port, 200);
    expect(await net.ask(transport, "da/A", "forward", new Uint8Array())).to.equal("deadline");
    expect(await net.ask(transport, "da/C", "lists", new Uint8Array())).to.equal("unknown-peer");
  });

  it("tells the service when a handler or a response's taker fails, and goes on", async () => {
    const failures: unknown[] = [];
    const onFailure = (error: unknown): void => {
      failures.push(error);
    };
    const broken: Handler = (_method, request, reply) => {
      if (request.length === 0) return Promise.reject(new Error("the disk is full"));
      reply(request);
      return Promise.resolve();
    };
    const port = await net.serve("organisations", broken);
    const endpoints = await net.endpoints({ "da/A": port });
    const identity = await net.identity("cc");
    const transport = new GrpcTransport({ endpoints: () => endpoints, identity }, { log: net.log, onFailure });
    net.finally(() => {
      transport.close();
    });
    expect(await net.ask(transport, "da/A", "forward", new Uint8Array())).to.equal("failed");
    const taken = new Promise<void>((resolve) => {
      transport.request("da/A", "forward", Uint8Array.of(1), () => {
        resolve();
        throw new Error("the other disk is full");
      });
    });
    await taken;
    expect(await net.ask(transport, "da/A", "forward", Uint8Array.of(2))).to.deep.equal(Uint8Array.of(2));
    expect(failures.map(String)).to.deep.equal(["Error: the other disk is full"]);
    expect(net.lines.map(({ event }) => event)).to.include.members(["request-failed", "response-failed"]);
  });

  it("brings a request to a server that is started again before the deadline", async () => {
    let release: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = await net.server("organisations", () => {
      release();
      return Promise.resolve();
    });
    const transport = await toServer(first.port, 20_000);
    const asked = net.ask(transport, "da/A", "forward", Uint8Array.of(5));
    await begun;
    await first.close(0);
    await net.serve("organisations", echo, {}, first.port);
    expect(Buffer.from(await asked).toString()).to.equal("\u0005da/B");
  });

  it("asks again whom a server that was stopped left without a status, and not whom one failed", () => {
    const request = { to: "da/A", method: "forward" } as const;
    const cut = "Received RST_STREAM with code 0 (Call ended without gRPC status)";
    const [ended, failed] = [cut, "failed"].map((details) => fromGrpc({ code: status.INTERNAL, details }, request));
    expect([ended?.code, ended?.retry]).to.deep.equal(["unreachable", true]);
    expect([failed?.code, failed?.retry]).to.deep.equal(["failed", false]);
  });

  it("answers health checks (grpc.health.v1), and says when it is closing", async () => {
    const server = await net.server("meters", echo);
    const { certificate } = await net.authority("da/A");
    const client = new Client(`localhost:${server.port}`, credentials.createSsl(Buffer.from(certificate)));
    net.finally(() => {
      client.close();
    });
    const { path, requestSerialize, responseDeserialize } = healthService.Check as (typeof healthService)[string];
    const status = (name: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: name }, (error, value) => {
          if (error === null) resolve(value);
          else reject(error);
        });
      });
    expect(await status("")).to.deep.equal({ status: "SERVING" });
    expect(await status("veilgrid.v1.ReadingIntake")).to.deep.equal({ status: "SERVING" });
    server.setServing(false);
    expect(await status("veilgrid.v1.ReadingIntake")).to.deep.equal({ status: "NOT_SERVING" });
  });

  it("says by a code where it cannot listen", async () => {
    const port = await net.serve("meters", echo);
    expect(await codeOf(() => net.serve("meters", echo, {}, port))).to.equal("cannot-listen");
  });
});
