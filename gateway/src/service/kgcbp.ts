import { DEFAULT_TARIFF, parseTariff, type Tariff } from "@veilgrid/protocol";
import { ContentFolder } from "../ipfs/content-folder.js";
import { Kgcbp } from "../kgcbp/kgcbp.js";
import { Safe } from "../kgcbp/safe.js";
import { VaultFolder } from "../kgcbp/vault-folder.js";
import { readJson } from "../store/files.js";
import type { KgcbpConfiguration } from "./configuration.js";
import { readEnrolments } from "./enrolments.js";
import type { Ground } from "./ground.js";
import { ServedKgcbp } from "./kgcbp-operator.js";
import { kgcbpRequests } from "./kgcbp-requests.js";
import { paramsRequests } from "./params-requests.js";
import type { MadeRole, Party } from "./service.js";

/** The parts of the database that KGCBP's backup has. */
export const KGCBP_STORES = { keys: "keys", work: "kgcbp" } as const;

/** KGCBP as a party. @throws VeilgridError `bad-tariff`, `bad-enrolments`, `bad-secret-file`. */
export async function kgcbpParty(configuration: KgcbpConfiguration): Promise<Party> {
  const { meters, limits, tariff } = configuration;
  const billed: Tariff = tariff === undefined ? DEFAULT_TARIFF : parseTariff(await readJson(tariff));
  return {
    name: "kgcbp",
    others: { audience: "devices", at: meters, limits: limits.meters ?? {} },
    make: (ground) => billProvider(configuration, billed, ground),
  };
}

async function billProvider(
  { timeZone, content, vault, backup, enrolments }: KgcbpConfiguration,
  tariff: Tariff,
  { secrets: [secret, ...otherSecrets], ...ground }: Ground,
): Promise<MadeRole> {
  const { clock, transport, view, consortium, random, memory, log } = ground;
  const safe = await Safe.open({
    keys: { store: ground.store(KGCBP_STORES.keys), sync: true },
    work: { store: ground.store(KGCBP_STORES.work), sync: true },
    shelf: await VaultFolder.open(vault),
    backup: { folder: backup, consortium },
  });
  ground.onClose(() => safe.close());
  if (enrolments !== undefined) {
    const { periodSeconds } = await view.currentParams();
    for (const { enrolment, monthKey } of await readEnrolments(enrolments, periodSeconds)) {
      await safe.keys.enrol(enrolment, monthKey);
    }
  }
  const role = await Kgcbp.open(
    { secret, otherSecrets, tariff, timeZone },
    {
      clock,
      transport,
      store: safe.work,
      view,
      keys: safe.keys,
      content: await ContentFolder.open(content.folder),
      random,
      memory,
      log,
    },
  );
  return {
    role,
    facts: () => ({ meters: role.meters.list().length }),
    requests: {
      ...kgcbpRequests(new ServedKgcbp(role, safe.backup)),
      ...paramsRequests({ secrets: [secret, ...otherSecrets], view, consortium }),
    },
  };
}
