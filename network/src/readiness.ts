import type { Organisation } from "./consortium.js";
import { requireEndorsement } from "./gateways.js";
import { isListening } from "./ports.js";
import type { ProcessPlan } from "./process.js";
import type { Site } from "./site.js";
import { waitFor } from "./waiting.js";

/** Milliseconds until the gateways have heard of each other and of a definition, and until a process listens. */
const READY = 30_000;
const LISTENING = 15_000;

/**
 * Waits until the gateways of organisations have something endorsed by Q of them.
 * @param processes those that it takes.
 * @throws VeilgridError `not-ready`, `process-died`.
 */
export async function awaitEndorsements(
  site: Site,
  organisations: readonly Organisation[],
  deployed: boolean,
  processes: readonly string[],
): Promise<void> {
  await Promise.all(
    organisations.map((organisation) =>
      waitFor(site.folder, { what: `the gateway of ${organisation.name}`, within: READY, processes }, async () => {
        await requireEndorsement(site, organisation, deployed);
        return [];
      }),
    ),
  );
}

/** Waits until services listen. @throws VeilgridError `not-ready`, `process-died`. */
export async function awaitListening(site: Site, plans: readonly ProcessPlan[]): Promise<void> {
  const processes = plans.map(({ name }) => name);
  await waitFor(site.folder, { what: "the chaincode services", within: LISTENING, processes }, async () => {
    const listening = await Promise.all(plans.map(({ ports }) => isListening(ports[0] as number)));
    return processes.filter((_, i) => listening[i] !== true);
  });
}
