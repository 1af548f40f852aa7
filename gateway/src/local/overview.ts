import { join } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";
import { z } from "zod";
import { readJson } from "../store/files.js";

/** Name of the file in a consortium's folder that says what is in it; nothing in it is secret. */
export const OVERVIEW = "consortium.json";

const port = z.int().min(1).max(65_535);
const place = z.strictObject({ meters: port, organisations: port, http: port });

const overviewSchema = z.strictObject({
  version: z.literal(1),
  /** SHA-256 of the parameter set's version 1, hex. */
  consortium: z.string().regex(/^[0-9a-f]{64}$/),
  ledger: z.enum(["embedded", "fabric"]),
  /** The network's connection profile. */
  profile: z.string().optional(),
  das: z.array(z.string()).min(1).readonly(),
  regions: z.int().min(1),
  meters: z.int().min(1),
  periodSeconds: z.union([z.literal(900), z.literal(1800)]),
  first: z.strictObject({ month: z.int(), k: z.int() }),
  /** Null where the supply does not end. */
  periods: z.int().min(1).nullable(),
  timezone: z.string(),
  /** Of the made-up households. */
  seed: z.string(),
  places: z.strictObject({
    host: z.string(),
    das: z.array(place).readonly(),
    cc: place,
    kgcbp: place,
    ledger: z.strictObject({ listen: port, http: port }),
    fleet: z.strictObject({ http: port }),
  }),
});

/** What a consortium's folder holds. */
export type Overview = z.output<typeof overviewSchema>;

/** @throws VeilgridError `no-consortium`, `damaged-folder`. */
export async function readOverview(folder: string): Promise<Overview> {
  const json = await readJson(join(folder, OVERVIEW));
  if (json === undefined) {
    throw new VeilgridError("no-consortium", `${folder} holds no consortium: veilgrid consortium init makes one`, {
      facts: { folder },
      blame: "caller",
    });
  }
  const { success, data, error } = overviewSchema.safeParse(json);
  if (success) return data;
  throw new VeilgridError("damaged-folder", `${join(folder, OVERVIEW)} is not what was written`, {
    facts: { folder },
    blame: "operator",
    cause: error,
  });
}
