import { X509Certificate, createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { Authority, type Identity } from "../../src/grpc/authority.js";

/** Whether a client of one authority and a server of another take each other. */
async function handshake(
  server: Identity,
  client: Identity | undefined,
  ca: string,
  servername: string,
): Promise<string> {
  const listening = createServer({ cert: server.certificate, key: server.key, ca, requestCert: true });
  listening.listen(0);
  await once(listening, "listening");
  try {
    const { port } = listening.address() as { port: number };
    const seen = once(listening, "secureConnection") as Promise<[TLSSocket]>;
    const pair = client === undefined ? {} : { cert: client.certificate, key: client.key };
    const socket = connect({ port, ca, servername, ...pair });
    socket.on("error", () => undefined);
    const outcome = await Promise.race([
      once(socket, "secureConnect").then(async () => ((await seen)[0].authorized ? "both" : "server only")),
      once(listening, "tlsClientError").then(() => "client refused"),
      new Promise<string>((resolve) => {
        socket.once("error", (error: NodeJS.ErrnoException) => {
          resolve(error.code ?? "failed");
        });
      }),
    ]);
    socket.destroy();
    return outcome;
  } finally {
    listening.close();
  }
}

describe("a certificate authority", () => {
  let ours: Authority;
  let theirs: Authority;
  let server: Identity;

  before(async () => {
    [ours, theirs] = await Promise.all([Authority.make("ours"), Authority.make("theirs")]);
    server = await ours.issue({ name: "a server", hosts: ["localhost", "127.0.0.1"] });
  });

  it("issues what TLS takes on both sides, for the names that it was told", async () => {
    const client = await ours.issue({ name: "a client" });
    expect(await handshake(server, client, ours.certificate, "localhost")).to.equal("both");
    expect(await handshake(server, client, ours.certificate, "elsewhere")).to.equal("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await handshake(server, undefined, ours.certificate, "localhost")).to.be.oneOf([
      "client refused",
      "server only",
    ]);
  });

  it("vouches for nobody whom another one named", async () => {
    const client = await theirs.issue({ name: "a client" });
    expect(await handshake(server, client, ours.certificate, "localhost")).to.be.oneOf([
      "client refused",
      "server only",
    ]);
    expect(await handshake(server, client, theirs.certificate, "localhost")).not.to.equal("both");
  });

  it("does not let a client pass for a server, or issue certificates of its own", async () => {
    const client = await ours.issue({ name: "a client" });
    expect(await handshake(client, client, ours.certificate, "localhost")).not.to.equal("both");
    expect(new X509Certificate(client.certificate).ca).to.equal(false);
    expect(new X509Certificate(ours.certificate).ca).to.equal(true);
  });

  it("gives a key that belongs to the certificate, a new one each time", async () => {
    const other = await ours.issue({ name: "a server", hosts: ["localhost"] });
    expect(new X509Certificate(server.certificate).checkPrivateKey(createPrivateKey(server.key))).to.equal(true);
    expect(new X509Certificate(server.certificate).checkPrivateKey(createPrivateKey(other.key))).to.equal(false);
    expect(new X509Certificate(server.certificate).serialNumber).not.to.equal(
      new X509Certificate(other.certificate).serialNumber,
    );
  });
});
