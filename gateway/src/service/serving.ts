import { toHex } from "@veilgrid/protocol";
import { openLog } from "../process/log.js";
import { untilStopped } from "../process/stopping.js";
import type { ServiceConfiguration } from "./configuration.js";
import { secretsOf } from "./files.js";
import { Service, type Party } from "./service.js";

/** How a service's process ended. */
export type Ending =
  /** It was told to, or is needed no more. */
  | "stopped"
  /** It cannot go on, and a new process takes up what this one left. */
  | "failed";

/** How long what is under way may take to end in a process that has failed, in milliseconds. */
const LAST_MS = 2_000;

/**
 * Runs a service until a signal stops it.
 * @param makeParty its party; `retire` is called by who is needed no more.
 * @throws VeilgridError what is wrong with its configuration, files or ledger.
 */
export async function serve<T extends ServiceConfiguration>(
  configuration: T,
  makeParty: (configuration: T, retire: () => void) => Promise<Party> | Party,
): Promise<Ending> {
  const signalled = untilStopped();
  let retire: () => void = () => undefined;
  const retired = new Promise<"retired">((resolve) => {
    retire = () => {
      resolve("retired");
    };
  });
  const party = await makeParty(configuration, retire);
  const secrets = (await secretsOf(configuration)).map(toHex);
  const base = { role: party.name, msp: configuration.msp };
  const log = openLog({ level: configuration.log.level, base, secrets });
  const service = new Service(configuration, party, { log });
  try {
    const failure = service.failed.then(() => "failed" as const);
    const ended = await Promise.race([signalled, retired, failure, service.serving.then(() => signalledOr(failure))]);
    log.log("info", "stopping", { why: ended });
    if (ended === "failed") await Promise.race([service.stop(), later()]);
    else await service.stop();
    log.log("info", "stopped");
    return ended === "failed" ? "failed" : "stopped";
  } catch (error) {
    log.failure("error", "cannot-serve", error);
    await service.stop();
    throw error;
  } finally {
    await log.close();
  }

  function signalledOr(failure: Promise<"failed">): Promise<string> {
    return Promise.race([signalled, retired, failure]);
  }
}

function later(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LAST_MS);
  });
}
