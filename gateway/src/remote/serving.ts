import { readFile } from "node:fs/promises";
import { packagedContract } from "@veilgrid/chaincode";
import { LedgerView, paramsCodec, quorum, toHex, VerifiedSignatures, type Params } from "@veilgrid/protocol";
import { EmbeddedLedger } from "../ledger/embedded.js";
import type { EndorserOptions } from "../ledger/endorser.js";
import { chaincodeOf } from "../ledger/fabric.js";
import { clockOf } from "../process/clock.js";
import { HttpEndpoint } from "../process/http.js";
import { openLog, type ProcessLog } from "../process/log.js";
import { ProcessMetrics } from "../process/metrics.js";
import { requirePrivate } from "../process/secret.js";
import type { LedgerServiceConfiguration } from "./configuration.js";
import { LedgerService } from "./service.js";

/** Signatures that the endorsers of this process share: an election's and a large region's block have some thousands. */
const REMEMBERED = 50_000;

/** A running ledger service. */
export interface ServedLedger {
  readonly port: number;
  /** Where /metrics and /health are; undefined without an `http` section. */
  readonly httpPort: number | undefined;
  close(): Promise<void>;
}

/** The endorsers of a parameter set: one for each aggregator, all in this process. */
function endorsersOf({ da }: Params, first: Uint8Array, memory: VerifiedSignatures): EndorserOptions[] {
  return da.map(({ msp }) => ({ msp, chaincode: chaincodeOf([packagedContract(first, memory)]) }));
}

/**
 * Opens the embedded ledger of a consortium, sets the consortium up on it if nobody has, and serves it.
 * @throws VeilgridError `ledger-in-use`, `ledger-damaged`, `bad-secret-file`, `bad-credentials`, `address-unusable`, and
 *   errors of the file system.
 */
export async function serveLedger(
  configuration: LedgerServiceConfiguration,
  { log, failure }: ProcessLog,
): Promise<ServedLedger> {
  const { data, listen, clock } = configuration;
  const bytes = new Uint8Array(await readFile(configuration.params));
  const first = paramsCodec.decode(bytes);
  const memory = new VerifiedSignatures(REMEMBERED);
  const endorsers = endorsersOf(first, bytes, memory);
  const time = clockOf(clock, {
    onFailure: (label, error) => {
      failure("error", label, error);
    },
  });
  const ledger = await EmbeddedLedger.open(
    { path: data, channel: first.channel, endorsers, needed: quorum(endorsers.length) },
    { clock: time },
  );
  const view = new LedgerView(ledger.state);
  let version = first.version;

  /** Whose endorsement counts follows the parameter set that is on the ledger. */
  async function follow(): Promise<void> {
    const current = await view.currentParams();
    if (current.version === version) return;
    version = current.version;
    ledger.define(endorsersOf(current, bytes, memory), quorum(current.da.length));
    log("info", "endorsers-defined", { version, endorsers: current.da.length });
  }

  const closing: (() => Promise<unknown>)[] = [() => ledger.close()];
  async function close(): Promise<void> {
    for (const end of closing.splice(0).reverse()) await end();
  }
  try {
    if (!(await view.isSetUp())) {
      await ledger.as({ msp: first.kgcbp.msp }).submit({ name: "setup", args: [] });
      log("info", "consortium-set-up", { consortium: toHex(await view.consortium()) });
    }
    await follow();
    const service = await LedgerService.listen(
      { ...listen, tls: await ownPair(configuration), callers: await callersOf(configuration) },
      {
        ledger,
        log,
        onBlocks: () =>
          follow().catch((error: unknown) => {
            failure("error", "endorsers-not-followed", error);
          }),
      },
    );
    closing.push(() => service.close());
    const http = await pages(configuration, ledger);
    if (http !== undefined) closing.push(() => http.close());
    log("info", "ledger-serves", { host: listen.host, port: service.port, height: (await ledger.height()).toString() });
    return { port: service.port, httpPort: http?.port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function ownPair({
  certificate,
  key,
}: LedgerServiceConfiguration): Promise<{ readonly certificate: string; readonly key: string }> {
  await requirePrivate(key);
  return { certificate: await readFile(certificate, "utf8"), key: await readFile(key, "utf8") };
}

async function callersOf({ callers }: LedgerServiceConfiguration): Promise<ReadonlyMap<string, string>> {
  return new Map(
    await Promise.all(callers.map(async ({ msp, authority }) => [msp, await readFile(authority, "utf8")] as const)),
  );
}

async function pages({ http }: LedgerServiceConfiguration, ledger: EmbeddedLedger): Promise<HttpEndpoint | undefined> {
  if (http === undefined) return undefined;
  const metrics = new ProcessMetrics({ role: "ledger" });
  metrics.gauge("ledger_height", "blocks of the ledger", [], async (gauge) => {
    gauge.set(Number(await ledger.height()));
  });
  return HttpEndpoint.listen(http.listen, {
    metrics,
    health: async () => ({ isWell: true, facts: { height: (await ledger.height()).toString() } }),
  });
}

/** Opens the log that a ledger service's configuration asks for. */
export function ledgerServiceLog({ log }: LedgerServiceConfiguration): ProcessLog {
  return openLog({ level: log?.level ?? "info", base: { role: "ledger" } });
}
