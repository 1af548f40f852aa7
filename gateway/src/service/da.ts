import { Aggregator } from "../da/aggregator.js";
import { VerificationPool } from "../verification/pool.js";
import type { DaConfiguration } from "./configuration.js";
import type { Ground } from "./ground.js";
import { paramsRequests } from "./params-requests.js";
import type { MadeRole, Party } from "./service.js";

/** "whatever came in a few tens of milliseconds": of the machine's time, also where the clock is faster. */
const BUNDLE_MS = 50;
const LONGEST_BUNDLE_MS = 60_000;
/** A leader gets so much of the machine's time, too: its work does not become faster with the clock. */
const TIMER_MS = 2_000;
const SHORTEST_TIMER_MS = 20_000;
const LONGEST_TIMER_MS = 300_000;

/** A data aggregator as a party. @param onRetired called when no version of the parameter set needs it any more. */
export function daParty(configuration: DaConfiguration, onRetired: () => void): Party {
  const { meters, limits } = configuration;
  return {
    name: "da",
    others: { audience: "meters", at: meters, limits: limits.meters ?? {} },
    make: (ground) => Promise.resolve(aggregator(configuration, onRetired, ground)),
  };
}

function aggregator(
  { clock: scale, limits }: DaConfiguration,
  onRetired: () => void,
  { secrets: [secret, ...otherSecrets], ...ground }: Ground,
): MadeRole {
  const { clock, transport, ledger, view, consortium, random, memory, log, numbers } = ground;
  const pool = new VerificationPool(
    {
      ...(limits.verificationThreads === undefined ? {} : { threads: limits.verificationThreads }),
      ...(limits.verificationWaiting === undefined ? {} : { waiting: limits.verificationWaiting }),
    },
    { log },
  );
  ground.onClose(() => pool.stop());
  const factor = Math.max(1, scale?.factor ?? 1);
  const usual = Math.min(LONGEST_BUNDLE_MS, Math.ceil(BUNDLE_MS * factor));
  const timerMs = Math.min(LONGEST_TIMER_MS, Math.max(SHORTEST_TIMER_MS, Math.ceil(TIMER_MS * factor)));
  const role = new Aggregator(
    { secret, otherSecrets, onRetired, bundleMs: limits.bundleMs ?? usual, timerMs },
    { clock, transport, store: ground.store("da"), ledger, view, random, memory, verifier: pool, log },
  );
  numbers.expectReadings();
  numbers.gauge("term", "The aggregator's term.", () => Number(role.standing.term));
  numbers.gauge("is_leader", "Whether it leads.", () => (role.standing.role === "leader" ? 1 : 0));
  numbers.roles(() => role.standing.role);
  numbers.gauge("is_busy", "Whether something is due.", () => (role.standing.busy ? 1 : 0));
  numbers.gauge("pool_readings", "Readings held for blocks to come.", () => role.standing.readings);
  numbers.gauge("verification_waiting", "Signatures that wait for a thread.", () => pool.waiting);
  numbers.gauge("verification_threads", "Threads that check signatures.", () => pool.threads);
  numbers.gauge("signatures_remembered", "Signatures known to be good.", () => memory.size);
  const facts = (): ReturnType<MadeRole["facts"]> => {
    const { role: standing, term, readings } = role.standing;
    return { standing, term: term.toString(), readings };
  };
  return { role, facts, requests: paramsRequests({ secrets: [secret, ...otherSecrets], view, consortium }, role) };
}
