import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { VeilgridError, isVeilgridError } from "@veilgrid/protocol";
import type { z } from "zod";
import type { Log } from "../ports/log.js";
import {
  DOOR_VERSION,
  LONGEST_REQUEST,
  askedLine,
  doorPlace,
  fromLine,
  problemOf,
  toLine,
  type DoorPlace,
} from "./door-messages.js";

/** A request has to be there within this time of the connection. */
const REQUEST_MS = 10_000;
/** And its answer has to be taken. */
const ANSWER_MS = 10_000;
/** Operators are few, and each has one request. */
const MOST_CONNECTIONS = 16;

/** Does what an operator asks for; what it is given is checked by a shape first. */
export type DoorRequest = (asked: unknown) => Promise<unknown>;

/** What a service does for its operator, by the requests' names. */
export type DoorRequests = Readonly<Record<string, DoorRequest>>;

/** A request whose values have a shape. It throws VeilgridError `bad-request` for other ones. */
export function doorRequest<T>(shape: z.ZodType<T>, work: (asked: T) => Promise<unknown>): DoorRequest {
  return async (asked) => {
    const { success, data, error } = shape.safeParse(asked);
    if (success) return work(data);
    const issue = error.issues[0];
    throw badRequest(`${(issue?.path ?? []).map(String).join(".")}: ${issue?.message ?? "malformed"}`);
  };
}

/** What a door works with. */
export interface DoorModules {
  readonly log: Log;
  /** A request failed by a defect or a broken disk: what memory has may not be what the disk has. */
  readonly onFailure: (error: unknown) => void;
  /** What requests wait for before the service works. */
  readonly waitingFor: () => string;
  /** How long a request may take to come, in milliseconds. */
  readonly requestMs?: number;
}

/**
 * The operator's door of a running service: a Unix socket in a folder of its data folder that its owner alone may enter,
 * and so off the network. A connection has one request, a line of JSON, and gets one line. Until it is told what to do for
 * an operator it says what the service waits for.
 */
export class Door {
  readonly #server: Server;
  readonly #place: DoorPlace;
  readonly #modules: DoorModules;
  readonly #reading = new Set<Socket>();
  readonly #working = new Set<Promise<void>>();
  #requests: DoorRequests | undefined;

  private constructor(place: DoorPlace, modules: DoorModules) {
    this.#place = place;
    this.#modules = modules;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#open(socket);
    });
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /**
   * Opens the door of a data folder that no other process uses: a socket that is there is left over, and replaced.
   * @throws VeilgridError `path-too-long`, `cannot-open-door`.
   */
  static async open(data: string, modules: DoorModules): Promise<Door> {
    const place = doorPlace(data);
    const door = new Door(place, modules);
    try {
      await door.#listen();
    } catch (cause) {
      const { folder } = place;
      const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new VeilgridError("cannot-open-door", `no operator's door can be opened in ${folder} (${why})`, {
        facts: { folder },
        blame: "operator",
        cause,
      });
    }
    return door;
  }

  async #listen(): Promise<void> {
    const { folder, socket } = this.#place;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const left = await lstat(socket).catch(() => undefined);
    if (left?.isSocket() === true) await rm(socket);
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(socket, resolve);
    });
    this.#server.on("error", (error) => {
      this.#modules.log("error", "listener-failed", { why: error.message });
    });
    await chmod(socket, 0o600);
  }

  /** From now on these requests are worked on. */
  admit(requests: DoorRequests): void {
    this.#requests = requests;
  }

  /** No request is worked on any more. Resolves when those that were are answered. */
  async dismiss(): Promise<void> {
    this.#requests = undefined;
    await Promise.all(this.#working);
  }

  /** Resolves when the door is shut and its socket gone. */
  async close(): Promise<void> {
    await this.dismiss();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#reading) socket.destroy();
    await closed;
    await rm(this.#place.socket, { force: true });
  }

  #open(socket: Socket): void {
    // Who is gone hears nothing; what was done for it stays.
    socket.on("error", () => undefined);
    this.#reading.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#modules.requestMs ?? REQUEST_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#reading.delete(socket);
    });
    const read = requestLine(socket).finally(() => {
      clearTimeout(timer);
    });
    read.then(
      (line) => {
        const working = this.#answer(line)
          .then((answer) => end(socket, answer))
          .finally(() => this.#working.delete(working));
        this.#working.add(working);
      },
      (error: unknown) => end(socket, { problem: problemOf(error) }),
    );
  }

  async #answer(line: string): Promise<object> {
    let name = "";
    try {
      const { ask, given } = asked(line);
      name = ask;
      const gives = await this.#work(ask, given);
      this.#modules.log("info", "operator-asked", { request: ask, outcome: "done" });
      return { gives };
    } catch (error) {
      const problem = problemOf(error);
      this.#modules.log("info", "operator-asked", { request: name, outcome: problem.code });
      if (!isVeilgridError(error)) this.#modules.onFailure(error);
      return { problem };
    }
  }

  #work(name: string, given: unknown): Promise<unknown> {
    const requests = this.#requests;
    if (requests === undefined) {
      const waitingFor = this.#modules.waitingFor();
      throw new VeilgridError("service-waiting", `the service does not work now: it waits for its ${waitingFor}`, {
        facts: { waitingFor },
        blame: "operator",
        retry: true,
      });
    }
    const request = Object.hasOwn(requests, name) ? requests[name] : undefined;
    if (request !== undefined) return request(given);
    throw new VeilgridError("unknown-request", "the service has no such request: it is of another role or version", {
      facts: { request: name },
      blame: "caller",
    });
  }
}

function badRequest(why: string): VeilgridError {
  return new VeilgridError("bad-request", `this is no request: ${why}`, { facts: { why }, blame: "caller" });
}

function asked(line: string): { readonly ask: string; readonly given: unknown } {
  let value: unknown;
  try {
    value = fromLine(line);
  } catch {
    throw badRequest("it is no JSON");
  }
  const { success, data } = askedLine.safeParse(value);
  if (!success) throw badRequest("it does not say what it asks for");
  if (data.door === DOOR_VERSION) return { ask: data.ask, given: data.with };
  throw new VeilgridError("other-version", "command and service are of different versions", {
    facts: { asked: data.door, has: DOOR_VERSION },
    blame: "caller",
  });
}

/** The first line. @throws VeilgridError `bad-request`, `request-too-large`; what a socket that breaks throws. */
async function requestLine(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const at = chunk.indexOf(10);
    parts.push(at < 0 ? chunk : chunk.subarray(0, at));
    size += chunk.length;
    if (size > LONGEST_REQUEST) {
      throw new VeilgridError("request-too-large", "the request is too large", {
        facts: { longest: LONGEST_REQUEST },
        blame: "caller",
      });
    }
    if (at >= 0) return Buffer.concat(parts).toString("utf8");
  }
  throw badRequest("its line has no end");
}

/** Says its line, and resolves when it is said or nobody takes it; what still comes is not read. */
function end(socket: Socket, answer: object): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  const timer = setTimeout(() => socket.destroy(), ANSWER_MS);
  return new Promise((resolve) => {
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.end(toLine({ door: DOOR_VERSION, ...answer }), () => socket.destroy());
  });
}
