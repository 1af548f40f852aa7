import { isAbsolute, join, relative, resolve } from "node:path";
import { VeilgridError, fromHex, isVeilgridError, toHex, type Blame } from "@veilgrid/protocol";
import { z } from "zod";

// What goes through an operator's door: one line of JSON each way, and then the connection ends.

/** Form of the lines; a command and a service of different programs are told apart by it. */
export const DOOR_VERSION = 1;
/** The longest request: a year of a meter's log to be settled is a tenth of it. */
export const LONGEST_REQUEST = 16 * 1_048_576;
/** The longest answer: the list of all cases of a month with faults in every period is a tenth of it. */
export const LONGEST_ANSWER = 256 * 1_048_576;
/** What a socket's address holds of a path, on every platform. */
const LONGEST_PATH = 103;

/** Names of the door's folder and socket in the service's data folder. */
const FOLDER = "operator";
const SOCKET = "door";

/** Where the door of a service is. */
export interface DoorPlace {
  readonly folder: string;
  /** As it is told to the system: relative to the working directory where that is shorter. */
  readonly socket: string;
}

/** @throws VeilgridError `path-too-long` where the system cannot have a socket there. */
export function doorPlace(data: string): DoorPlace {
  const folder = join(resolve(data), FOLDER);
  const path = join(folder, SOCKET);
  const near = relative(process.cwd(), path);
  const socket = !isAbsolute(near) && Buffer.byteLength(near) < Buffer.byteLength(path) ? near : path;
  if (Buffer.byteLength(socket) <= LONGEST_PATH) return { folder, socket };
  throw new VeilgridError(
    "path-too-long",
    `${path} is too long a path for a socket: use a shorter data folder, or work in a folder that is nearer to it`,
    { facts: { path, longest: LONGEST_PATH }, blame: "operator" },
  );
}

/** Values as JSON: bytes and big integers keep what they are. */
export function toLine(value: unknown): string {
  const text = JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key, seen: unknown) {
    // What a Buffer makes of itself comes here as `seen`.
    const own = this[key];
    if (own instanceof Uint8Array) return { $bytes: toHex(own) };
    return typeof own === "bigint" ? { $int: own.toString() } : seen;
  });
  return `${text}\n`;
}

function revived(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const [[name, text] = [], more] = Object.entries(value);
  if (more !== undefined || typeof text !== "string") return value;
  if (name === "$bytes" && /^([0-9a-f]{2})*$/.test(text)) return fromHex(text);
  return name === "$int" && /^-?\d{1,40}$/.test(text) ? BigInt(text) : value;
}

/** @throws SyntaxError for what is no JSON. */
export function fromLine(line: string): unknown {
  return JSON.parse(line, revived) as unknown;
}

/** A request: the form's version, what is asked for, and with what. */
export const askedLine = z.strictObject({ door: z.int(), ask: z.string().max(64), with: z.unknown() });

const BLAMES = ["caller", "peer", "operator", "ledger", "nobody"] as const satisfies readonly Blame[];

const problem = z.strictObject({
  code: z.string(),
  message: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  blame: z.enum(BLAMES),
  retry: z.boolean(),
});

/** An answer: what was asked for, or the error that it ended in. */
export const answeredLine = z.union([
  z.strictObject({ door: z.int(), problem }),
  z.strictObject({ door: z.int(), gives: z.unknown() }),
]);

/** An error as it goes through the door: its code, sentence, facts, who is to act, and whether to try again. */
export function problemOf(error: unknown): z.infer<typeof problem> {
  if (isVeilgridError(error)) {
    const { code, message, facts, blame, retry } = error;
    return { code, message, facts: { ...facts }, blame, retry };
  }
  const message = "the service failed at this request: its log says more";
  return { code: "service-failed", message, facts: {}, blame: "nobody", retry: true };
}

/** The error that came through the door. */
export function errorOf({ code, message, ...detail }: z.infer<typeof problem>): VeilgridError {
  return new VeilgridError(code, message, detail);
}
