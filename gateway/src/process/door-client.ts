import { stat } from "node:fs/promises";
import { createConnection } from "node:net";
import { VeilgridError } from "@veilgrid/protocol";
import {
  DOOR_VERSION,
  LONGEST_ANSWER,
  LONGEST_REQUEST,
  answeredLine,
  doorPlace,
  errorOf,
  fromLine,
  toLine,
} from "./door-messages.js";

/** How long a service may take for what its operator asks for. */
const ANSWER_MS = 120_000;

/** How a door is asked. */
export interface AskOptions {
  readonly answerMs?: number;
}

/** Asks a running service for one thing. */
export type Ask = (request: string, given?: unknown) => Promise<unknown>;

/**
 * Asks the service that runs on a data folder, through its operator's door.
 * @throws VeilgridError `not-running`, `not-owner`, `unsafe-door`, `path-too-long`; `no-answer` where it is not known what
 * became of the request; whatever the service refuses it with.
 */
export async function askDoor(
  data: string,
  request: string,
  given: unknown = {},
  { answerMs = ANSWER_MS }: AskOptions = {},
): Promise<unknown> {
  const { folder, socket } = doorPlace(data);
  await requireOwnDoor(data, folder, socket);
  const line = toLine({ door: DOOR_VERSION, ask: request, with: given });
  if (Buffer.byteLength(line) > LONGEST_REQUEST) throw tooLarge();
  return answerOf(await exchange(data, socket, line, answerMs));
}

/** Nobody else may listen there, or what an operator is told would be another's. */
async function requireOwnDoor(data: string, folder: string, socket: string): Promise<void> {
  for (const path of [folder, socket]) {
    const found = await stat(path).catch((error: unknown) => {
      throw unreachable(data, error);
    });
    const own = process.getuid?.();
    const isOthers = own !== undefined && own !== 0 && found.uid !== own;
    if ((found.mode & 0o077) === 0 && !isOthers) continue;
    throw new VeilgridError("unsafe-door", `others may open ${path}: nothing is asked for there`, {
      facts: { path, mode: (found.mode & 0o777).toString(8) },
      blame: "operator",
    });
  }
}

function unreachable(data: string, cause: unknown): VeilgridError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") {
    return new VeilgridError("not-owner", `only the user that the service of ${data} runs as may ask it`, {
      facts: { data },
      blame: "caller",
      cause,
    });
  }
  return new VeilgridError("not-running", `no service runs on ${data}: start it first`, {
    facts: { data, code },
    blame: "operator",
    retry: true,
    cause,
  });
}

function tooLarge(): VeilgridError {
  return new VeilgridError("request-too-large", "the request is too large: ask for less at a time", {
    facts: { longest: LONGEST_REQUEST },
    blame: "caller",
  });
}

function noAnswer(data: string, why: string, cause?: unknown): VeilgridError {
  const sentence = `the service of ${data} gave no answer (${why}); the same command says whether it was done`;
  return new VeilgridError("no-answer", sentence, { facts: { data, why }, blame: "nobody", retry: true, cause });
}

function exchange(data: string, socket: string, line: string, answerMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    let isConnected = false;
    const connection = createConnection(socket);
    const fail = (error: VeilgridError): void => {
      connection.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      fail(noAnswer(data, `${answerMs} ms are over`));
    }, answerMs);
    connection.once("connect", () => {
      isConnected = true;
      connection.write(line);
    });
    connection.on("data", (chunk) => {
      parts.push(chunk);
      size += chunk.length;
      if (size > LONGEST_ANSWER) fail(noAnswer(data, "it says too much"));
    });
    connection.once("error", (cause) => {
      fail(isConnected ? noAnswer(data, cause.message, cause) : unreachable(data, cause));
    });
    connection.once("close", () => {
      clearTimeout(timer);
      const text = Buffer.concat(parts).toString("utf8");
      if (text.endsWith("\n")) resolve(text);
      else reject(noAnswer(data, "it ended"));
    });
  });
}

function answerOf(text: string): unknown {
  const { data: answer } = answeredLine.safeParse(fromLine(text));
  if (answer?.door !== DOOR_VERSION) {
    throw new VeilgridError("other-version", "command and service are of different versions", { blame: "caller" });
  }
  if ("problem" in answer) throw errorOf(answer.problem);
  return answer.gives;
}
