import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { Authority, type Identity } from "../../src/grpc/authority.js";
import { Authorities } from "../../src/grpc/authorities.js";
import { Net, codeOf } from "./net.js";

const DAY_MS = 86_400_000;

describe("mutual TLS between organisations", () => {
  let net: Net;
  let port: number;
  let heard = 0;
  before(async () => {
    net = new Net();
    port = await net.serve("organisations", (_method, request, reply) => {
      heard += 1;
      reply(request);
      return Promise.resolve();
    });
  });
  after(async () => {
    await net.close();
  });

  /** Asks as `identity`; what became of it, and why the server let nobody in. */
  async function refusal(identity: Identity | undefined): Promise<[unknown, unknown]> {
    const from = net.lines.length;
    const transport = await net.organisation(await net.endpoints({ "da/A": port }), identity, 300);
    const outcome = await net.ask(transport, "da/A", "forward", Uint8Array.of(1));
    transport.close();
    const line = net.lines.slice(from).find(({ event }) => event === "connection-refused");
    return [outcome, line?.facts.code];
  }

  it("lets in whoever an organisation's authority names", async () => {
    expect(await refusal(await net.identity("cc"))).to.deep.equal([Uint8Array.of(1), undefined]);
    expect(heard).to.equal(1);
  });

  it("refuses nobody's, a foreign, an expired and a server's certificate, each by its code", async () => {
    const stranger = await (await Authority.make("cc")).issue({ name: "cc" });
    const authority = await net.authority("cc");
    const expired = await authority.issue({ name: "cc", days: 1, from: Date.now() - 3 * DAY_MS });
    const early = await authority.issue({ name: "cc", days: 1, from: Date.now() + 3 * DAY_MS });
    const server = await authority.issue({ name: "cc", hosts: ["localhost"], client: false });
    expect(await refusal(undefined)).to.deep.equal(["unreachable", "no-certificate"]);
    expect(await refusal(stranger)).to.deep.equal(["unreachable", "foreign-certificate"]);
    expect(await refusal(expired)).to.deep.equal(["unreachable", "expired-certificate"]);
    expect(await refusal(early)).to.deep.equal(["unreachable", "foreign-certificate"]);
    expect(await refusal(server)).to.deep.equal(["unreachable", "foreign-certificate"]);
    expect(heard).to.equal(1);
  });

  it("knows an organisation by its authority, whatever its certificate calls itself", async () => {
    const froms: unknown[] = [];
    const other = await net.serve("organisations", (_method, request, reply, from) => {
      froms.push(from);
      reply(request);
      return Promise.resolve();
    });
    const disguised = await (await net.authority("cc")).issue({ name: "kgcbp", hosts: ["da/B"] });
    const transport = await net.organisation(await net.endpoints({ "da/A": other }), disguised);
    await net.ask(transport, "da/A", "transaction", new Uint8Array());
    expect(froms).to.deep.equal(["cc"]);
  });

  it("trusts no server of another name, of another organisation, or without TLS", async () => {
    const identity = await net.identity("cc");
    const { certificate } = await net.authority("da/A");
    const target = `127.0.0.1:${port}`;
    const outcome = async (endpoint: { target: string; authority: string; serverName?: string }): Promise<unknown> => {
      const transport = await net.organisation(new Map([["da/A", endpoint]]), identity, 300);
      const result = await net.ask(transport, "da/A", "forward", new Uint8Array());
      transport.close();
      return result;
    };
    expect(await outcome({ target, authority: certificate, serverName: "elsewhere" })).to.equal("untrusted");
    const others = (await net.authority("da/B")).certificate;
    expect(await outcome({ target, authority: others })).to.equal("untrusted");
    expect(await outcome({ target: "127.0.0.1:1", authority: certificate })).to.equal("unreachable");
  });

  it("ends a connection in plain text", async () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    await once(socket, "close");
    expect(socket.bytesRead).to.be.below(100);
  });

  it("is not set up with one authority for two organisations, or with what is no certificate", async () => {
    const { certificate } = await net.authority("cc");
    const twice = new Map([
      ["cc", certificate],
      ["kgcbp", certificate],
    ]);
    expect(await codeOf(() => new Authorities(twice))).to.equal("same-authority");
    expect(await codeOf(() => new Authorities(new Map([["cc", "no certificate"]])))).to.equal("bad-certificate");
  });

  it("goes on with a renewed certificate", async () => {
    const server = await net.server("organisations", (_method, request, reply) => {
      reply(request);
      return Promise.resolve();
    });
    const transport = await net.organisation(await net.endpoints({ "da/A": server.port }), await net.identity("cc"));
    const renewed = await net.authority("da/B");
    server.renew(await renewed.issue({ name: "da/A", hosts: ["127.0.0.1"] }));
    expect(await net.ask(transport, "da/A", "forward", new Uint8Array())).to.equal("untrusted");
    server.renew(await net.identity("da/A", ["127.0.0.1"]));
    const again = await net.organisation(await net.endpoints({ "da/A": server.port }), await net.identity("cc"));
    expect(await net.ask(again, "da/A", "forward", Uint8Array.of(3))).to.deep.equal(Uint8Array.of(3));
  });
});
