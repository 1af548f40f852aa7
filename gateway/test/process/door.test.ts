import { expect } from "chai";
import { chmod, lstat, mkdir, stat, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";
import { z } from "zod";
import type { Log } from "../../src/ports/log.js";
import { Door, doorRequest, type DoorRequests } from "../../src/process/door.js";
import { askDoor } from "../../src/process/door-client.js";
import { LONGEST_REQUEST } from "../../src/process/door-messages.js";
import { problemIn, scratch } from "../support/scratch.js";

const REQUESTS: DoorRequests = {
  twice: doorRequest(z.strictObject({ count: z.bigint(), bytes: z.instanceof(Uint8Array).optional() }), (asked) =>
    Promise.resolve({ count: 2n * asked.count, bytes: asked.bytes, none: undefined, text: "$bytes" }),
  ),
  refuse: doorRequest(z.unknown(), () =>
    Promise.reject(
      new VeilgridError("period-sent", "what was sent stays", { facts: { k: 7 }, blame: "peer", retry: true }),
    ),
  ),
  fail: doorRequest(z.unknown(), () => Promise.reject(new Error("the disk: /secret/path"))),
};

describe("the operator's door of a service", () => {
  const folder = scratch();
  let data: string;
  let door: Door;
  let count = 0;
  const failures: unknown[] = [];
  const logged: string[] = [];
  const log: Log = (level, event, facts) => {
    logged.push(`${level} ${event} ${JSON.stringify(facts)}`);
  };

  const open = (at: string, times: { readonly requestMs?: number } = {}): Promise<Door> =>
    Door.open(at, {
      log,
      waitingFor: () => "ledger",
      ...times,
      onFailure: (error) => {
        failures.push(error);
      },
    });

  beforeEach(async () => {
    count += 1;
    data = join(folder.path, String(count));
    door = await open(data);
    door.admit(REQUESTS);
  });
  afterEach(() => door.close());

  /** What the door says to bytes that no client of ours sends. */
  function told(...bytes: (string | Buffer)[]): Promise<string> {
    return new Promise((resolve) => {
      let text = "";
      const socket = createConnection(join(data, "operator", "door"));
      socket.setEncoding("utf8").on("data", (part: string) => (text += part));
      socket
        .on("error", () => undefined)
        .on("close", () => {
          resolve(text);
        });
      for (const part of bytes) socket.write(part);
    });
  }

  async function codeOf(...bytes: (string | Buffer)[]): Promise<string> {
    const { problem } = JSON.parse(await told(...bytes)) as { problem: { code: string } };
    return problem.code;
  }

  it("gives what was asked for, bytes and big integers as they are", async () => {
    const bytes = Buffer.from([0, 255]);
    const answer = await askDoor(data, "twice", { count: -5n, bytes });
    expect(answer).to.deep.equal({ count: -10n, bytes: new Uint8Array([0, 255]), text: "$bytes" });
  });

  it("carries an error with its code, facts, blame and retry", async () => {
    const { code, message, facts, blame, retry } = await problemIn(askDoor(data, "refuse"));
    expect({ code, message, facts, blame, retry }).to.deep.equal({
      code: "period-sent",
      message: "what was sent stays",
      facts: { k: 7 },
      blame: "peer",
      retry: true,
    });
    expect(failures).to.deep.equal([]);
  });

  it("says of a defect that there was one, and has the process end", async () => {
    const error = await problemIn(askDoor(data, "fail"));
    expect([error.code, error.message]).to.deep.equal([
      "service-failed",
      "the service failed at this request: its log says more",
    ]);
    expect(failures.splice(0).map(String)).to.deep.equal(["Error: the disk: /secret/path"]);
  });

  it("refuses what it does not know, and values of another shape", async () => {
    expect((await problemIn(askDoor(data, "toString"))).code).to.equal("unknown-request");
    const bad = await problemIn(askDoor(data, "twice", { count: 5, more: 1 }));
    expect(bad.code).to.equal("bad-request");
    expect(bad.message).to.match(/^this is no request: count: /);
  });

  it("takes no garbage", async () => {
    expect(await codeOf("GET / HTTP/1.1\r\n\r\n")).to.equal("bad-request");
    expect(await codeOf(Buffer.from([0xff, 0xfe, 10]))).to.equal("bad-request");
    expect(await codeOf('{"door":1}\n')).to.equal("bad-request");
    expect(await codeOf('["twice"]\n')).to.equal("bad-request");
    expect(await codeOf('{"door":2,"ask":"twice","with":{}}\n')).to.equal("other-version");
    expect(await codeOf('{"door":1,"ask":"twi', 'ce","with":{"count":{"$int":"x"}}}\nand more')).to.equal(
      "bad-request",
    );
  });

  it("takes no more than it can hold", async () => {
    expect(await codeOf(Buffer.alloc(LONGEST_REQUEST + 1, 32))).to.equal("request-too-large");
    const error = await problemIn(askDoor(data, "twice", { text: "x".repeat(LONGEST_REQUEST) }));
    expect(error.code).to.equal("request-too-large");
  });

  it("waits for nobody who says nothing", async () => {
    await door.close();
    door = await open(data, { requestMs: 100 });
    expect(await told('{"door":1,')).to.equal("");
  });

  it("can be entered and opened by its owner alone, whatever was there before", async () => {
    const other = join(folder.path, "open");
    await mkdir(join(other, "operator"), { recursive: true, mode: 0o777 });
    await chmod(join(other, "operator"), 0o777);
    const second = await open(other);
    expect((await stat(join(other, "operator"))).mode & 0o777).to.equal(0o700);
    expect((await stat(join(other, "operator", "door"))).mode & 0o777).to.equal(0o600);
    await second.close();
  });

  it("is not asked where others may open it", async () => {
    for (const part of ["operator", join("operator", "door")]) {
      const path = join(data, part);
      const { mode } = await stat(path);
      await chmod(path, 0o755);
      expect((await problemIn(askDoor(data, "twice", { count: 1n }))).code, part).to.equal("unsafe-door");
      await chmod(path, mode);
    }
  });

  it("is gone when it is shut, and a socket that a killed service left is replaced", async () => {
    await door.close();
    expect(await lstat(join(data, "operator", "door")).catch(() => "gone")).to.equal("gone");
    expect((await problemIn(askDoor(data, "twice"))).code).to.equal("not-running");
    const abandoned = createServer();
    await new Promise<void>((resolve) => abandoned.listen(join(data, "operator", "abandoned"), resolve));
    const { link } = await import("node:fs/promises");
    await link(join(data, "operator", "abandoned"), join(data, "operator", "door"));
    await new Promise((resolve) => abandoned.close(resolve));
    await chmod(join(data, "operator", "door"), 0o600);
    const left = await problemIn(askDoor(data, "twice"));
    expect([left.code, left.facts.code]).to.deep.equal(["not-running", "ECONNREFUSED"]);
    door = await open(data);
    door.admit(REQUESTS);
    expect(await askDoor(data, "twice", { count: 1n })).to.deep.include({ count: 2n });
  });

  it("does not take the place of a file that is somebody's", async () => {
    const other = join(folder.path, "file");
    await mkdir(join(other, "operator"), { recursive: true });
    await writeFile(join(other, "operator", "door"), "mine");
    expect((await problemIn(open(other))).code).to.equal("cannot-open-door");
  });

  it("says so where the system can have no socket: its path is too long", async () => {
    const deep = join(folder.path, "d".repeat(120));
    expect((await problemIn(open(deep))).code).to.equal("path-too-long");
    expect((await problemIn(askDoor(deep, "twice"))).code).to.equal("path-too-long");
  });

  it("says what the service waits for before it works, and gives the answers that are due before it stops", async () => {
    let finish: (value: string) => void = () => undefined;
    const result = new Promise<string>((resolve) => (finish = resolve));
    let answer: Promise<unknown> | undefined;
    await new Promise<void>((begun) => {
      door.admit({
        slow: () => {
          begun();
          return result;
        },
      });
      answer = askDoor(data, "slow");
    });
    const dismissed = door.dismiss();
    const waiting = await problemIn(askDoor(data, "slow"));
    expect([waiting.code, waiting.facts.waitingFor, waiting.retry]).to.deep.equal(["service-waiting", "ledger", true]);
    finish("done");
    await dismissed;
    expect(await answer).to.equal("done");
  });

  it("does not leave an operator waiting for ever", async () => {
    door.admit({ never: () => new Promise((resolve) => setTimeout(resolve, 100, "late")) });
    const error = await problemIn(askDoor(data, "never", {}, { answerMs: 20 }));
    expect([error.code, error.retry]).to.deep.equal(["no-answer", true]);
  });

  it("logs what was asked for and what became of it, and not with what", () => {
    expect(logged).to.include('info operator-asked {"request":"twice","outcome":"done"}');
    expect(logged).to.include('info operator-asked {"request":"refuse","outcome":"period-sent"}');
    expect(logged.join()).to.not.include("count");
  });
});
