import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { P1Driver } from "../../src/meterside/p1.js";
import type { SourceAddress } from "../../src/meterside/p1-source.js";
import type { RegisterFault, RegisterReading } from "../../src/meterside/register.js";
import { PUBLISHED, PUBLISHED_BEFORE, telegramOf } from "./telegrams.js";

/** A driver with a reader of it. */
class Listener {
  readonly faults: RegisterFault[] = [];
  /** The first fault, when it comes. */
  readonly fault: Promise<RegisterFault>;
  readonly #stop = new AbortController();
  readonly #readings: AsyncIterator<RegisterReading>;

  constructor(source: SourceAddress, quietMs?: number) {
    let heard: (fault: RegisterFault) => void = () => undefined;
    this.fault = new Promise((resolve) => (heard = resolve));
    const onFault = (fault: RegisterFault): void => {
      this.faults.push(fault);
      heard(fault);
    };
    const driver = new P1Driver({ source, ...(quietMs === undefined ? {} : { quietMs }) }, { now: () => 7, onFault });
    this.#readings = driver.readings(undefined, this.#stop.signal)[Symbol.asyncIterator]();
  }

  /** Imported Wh of the next `count` readings. */
  async imported(count: number): Promise<bigint[]> {
    const found: bigint[] = [];
    while (found.length < count) {
      const next = await this.#readings.next();
      if (next.done === true) throw new Error("the driver ended");
      expect(next.value.at).to.equal(7);
      found.push(next.value.imported);
    }
    return found;
  }

  /** Ends it, at once or when something else has come: nothing comes any more. */
  async end(first?: Promise<unknown>): Promise<void> {
    const rest = this.#readings.next();
    await first;
    this.#stop.abort();
    expect((await rest).done).to.equal(true);
  }
}

describe("the P1 driver over TCP", () => {
  let server: Server;
  let source: SourceAddress;
  const sockets: Socket[] = [];
  const arrived: ((socket: Socket) => void)[] = [];
  const connection = (): Promise<Socket> => new Promise((resolve) => arrived.push(resolve));

  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on("error", () => undefined);
      sockets.push(socket);
      arrived.shift()?.(socket);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    source = { kind: "tcp", host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  it("reads telegrams, passes over the rest of one that began earlier, and names what was garbled", async () => {
    const listener = new Listener(source);
    const connected = connection();
    const readings = listener.imported(2);
    const socket = await connected;
    socket.write(PUBLISHED.slice(500));
    socket.write(PUBLISHED_BEFORE.replace("41.979", "41.970"));
    socket.write(PUBLISHED_BEFORE);
    socket.write(PUBLISHED);
    expect(await readings).to.deep.equal([41_979n, 51_775n]);
    expect(listener.faults.map(({ code }) => code)).to.deep.equal(["bad-checksum"]);
    await listener.end();
  });

  it("connects again when the connection ends, and goes on", async () => {
    const listener = new Listener(source);
    for (const wh of [1000n, 2000n, 3000n]) {
      const connected = connection();
      const reading = listener.imported(1);
      (await connected).end(telegramOf(wh));
      expect(await reading).to.deep.equal([wh]);
    }
    await listener.end();
    expect(listener.faults.map(({ code }) => code).slice(0, 2)).to.deep.equal(["source-lost", "source-lost"]);
  });

  it("says that nothing comes, and connects again", async () => {
    const listener = new Listener(source, 50);
    const reading = listener.imported(1);
    await connection();
    (await connection()).write(telegramOf(5n));
    expect(await reading).to.deep.equal([5n]);
    await listener.end();
    expect(listener.faults[0]?.code).to.equal("source-quiet");
  });

  it("waits for a server that is not there", async () => {
    const { port } = source as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const listener = new Listener(source);
    const reading = listener.imported(1);
    expect(await listener.fault).to.deep.equal({ code: "source-lost", facts: { why: "ECONNREFUSED" } });
    server.listen(port, "127.0.0.1");
    (await connection()).write(telegramOf(12n));
    expect(await reading).to.deep.equal([12n]);
    await listener.end();
  });
});

describe("the P1 driver on a device", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "veilgrid-p1-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("reads a FIFO, whoever writes to it and goes away again", async () => {
    const path = join(folder, "fifo");
    execFileSync("mkfifo", [path]);
    const listener = new Listener({ kind: "serial", path, baud: 115_200 });
    const readings = listener.imported(2);
    for (const telegram of [PUBLISHED_BEFORE, PUBLISHED]) {
      const writer = await open(path, "w");
      await writer.write(telegram);
      await writer.close();
    }
    expect(await readings).to.deep.equal([41_979n, 51_775n]);
    await listener.end();
    expect(listener.faults).to.deep.equal([]);
  });

  it("reads a terminal line, which it makes raw", async () => {
    // `script` has a pseudo-terminal: what is written to it comes out of the device whose name `tty` tells.
    const line: ChildProcess = spawn("script", ["-qfc", "tty; exec sleep 60", "/dev/null"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    try {
      const [name] = (await once(line.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
      const listener = new Listener({ kind: "serial", path: name.toString().trim(), baud: 115_200 });
      const reading = listener.imported(1);
      // What is sent before the line is raw may be eaten: a meter sends every second.
      const sending = setInterval(() => line.stdin?.write(PUBLISHED), 50);
      expect(await reading).to.deep.equal([51_775n]);
      clearInterval(sending);
      await listener.end();
    } finally {
      line.kill();
    }
  });

  it("names what is no device, and what is not there, and tries again", async () => {
    writeFileSync(join(folder, "file"), PUBLISHED);
    for (const [name, why] of [
      ["file", `${join(folder, "file")} is neither a serial device nor a FIFO`],
      ["nowhere", "ENOENT"],
    ] as const) {
      const listener = new Listener({ kind: "serial", path: join(folder, name), baud: 9600 });
      const nothing = listener.end(listener.fault);
      expect((await listener.fault).facts.why).to.equal(why);
      await nothing;
    }
  });
});
