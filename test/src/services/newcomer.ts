import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { Authority } from "@veilgrid/gateway";
import { schnorr, toHex } from "@veilgrid/protocol";

/** An aggregator that is to join running services, whose operator has made its folder. */
export interface Newcomer {
  /** Its folder's name. */
  readonly name: string;
  readonly msp: string;
  /** Its public key, 32 bytes. */
  readonly key: Uint8Array;
  readonly http: number;
}

const HOST = "127.0.0.1";
const PORTS = ["meters", "organisations", "http"] as const;

type Ports = Readonly<Record<(typeof PORTS)[number], number>>;

async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(
    PORTS.map(async () => {
      const server = createServer().listen(0, HOST);
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) server.close();
  return Object.fromEntries(PORTS.map((name, i) => [name, ports[i]])) as unknown as Ports;
}

/** A folder's configuration, to be written anew. */
function rewrite(file: string, change: (text: string) => string): void {
  const before = readFileSync(file, "utf8");
  const after = change(before);
  if (after === before) throw new Error(`${file} is not what it was thought to be`);
  writeFileSync(file, after);
}

function peer(msp: string, port: number | string): string {
  return (
    `  - address: da/${msp}\n    target: ${HOST}:${port}\n` +
    `    authority: authorities/da-${msp}.pem\n    serverName: localhost\n`
  );
}

/** What an aggregator's operator writes who joins: the first one's configuration, with what is its own. */
function configuration(folder: string, msp: string, ports: Ports): string {
  const text = readFileSync(join(folder, "da0", "da.yaml"), "utf8");
  const [, first = ""] = /^msp: (.*)$/m.exec(text) ?? [];
  const at = (section: string): RegExp => new RegExp(`^(${section}:\\n  listen: ).*$`, "m");
  const [, organisations = ""] = /^organisations:\n {2}listen: .*:(\d+)$/m.exec(text) ?? [];
  return PORTS.reduce((yaml, name) => yaml.replace(at(name), `$1${HOST}:${ports[name]}`), text)
    .replace(/^msp: .*$/m, `msp: ${msp}`)
    .replace(/^peers:\n/m, `peers:\n${peer(first, organisations)}`);
}

/**
 * Makes one more aggregator's folder, and tells the others of it in their configurations, as their operators would: whose
 * authority signs its certificates, and where it listens. They know it when they are started anew.
 */
export async function makeNewcomer(folder: string, seat: number): Promise<Newcomer> {
  const [name, msp] = [`da${seat}`, `DA${seat}MSP`];
  const ports = await freePorts();
  const own = join(folder, name);
  for (const part of ["", "tls", "authorities"]) mkdirSync(join(own, part), { mode: 0o700 });
  cpSync(join(folder, "da0", "params.bin"), join(own, "params.bin"));
  const secret = new Uint8Array(randomBytes(32));
  writeFileSync(join(own, "secret"), `${toHex(secret)}\n`, { mode: 0o600 });
  const authority = await Authority.make(`${msp} authority`);
  const { certificate, key } = await authority.issue({ name: msp, hosts: [HOST, "localhost"] });
  writeFileSync(join(own, "tls", "own.pem"), certificate);
  writeFileSync(join(own, "tls", "own.key"), key, { mode: 0o600 });
  writeFileSync(join(own, "da.yaml"), configuration(folder, msp, ports));
  for (const from of ["da0", "da1"]) {
    for (const file of readdirSync(join(folder, from, "authorities"))) {
      cpSync(join(folder, from, "authorities", file), join(own, "authorities", file));
    }
  }
  for (const other of [...Array.from({ length: seat }, (_, i) => `da${i}`), "cc", "kgcbp", "ledger"]) {
    writeFileSync(join(folder, other, "authorities", `da-${msp}.pem`), authority.certificate);
    const file = join(folder, other, `${basename(other).replace(/\d+$/, "")}.yaml`);
    const isLedger = other === "ledger";
    const entry = isLedger
      ? `  - msp: ${msp}\n    authority: authorities/da-${msp}.pem\n`
      : peer(msp, ports.organisations);
    rewrite(file, (text) => text.replace(isLedger ? /^callers:\n/m : /^peers:\n/m, (line) => `${line}${entry}`));
  }
  return { name, msp, key: schnorr.publicKey(secret), http: ports.http };
}
