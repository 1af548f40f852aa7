import { VeilgridError, fromHex, toHex, utf8, type Period } from "@veilgrid/protocol";
import { z } from "zod";
import type { Store } from "../ports/store.js";
import type { Enrolment } from "../ports/keystore.js";
import type { Finding, Reason, RefusalEvidence } from "./case-evidence.js";
import { enrolmentName, slotName } from "./names.js";

const reasons = [
  "no-reading",
  "keyless",
  "undelivered",
  "refused",
  "wrongly-refused",
  "receipted",
  "two-readings",
  "register",
  "other-key",
] as const satisfies readonly Reason[];

const schema = z.strictObject({
  reason: z.enum(reasons),
  blame: z.enum(["meter", "aggregators", "nobody"]),
  das: z.array(z.int()),
  refusals: z.array(
    z.strictObject({
      half: z.union([z.literal(0), z.literal(1)]),
      da: z.int(),
      code: z.string(),
      wrong: z.boolean(),
      answer: z.string(),
    }),
  ),
  receipts: z.array(z.strictObject({ reading: z.string(), receipt: z.string() })),
});

/** A finding as JSON: bytes are hex. */
export type FindingJson = z.infer<typeof schema>;

export function findingJson({ reason, blame, das, refusals, receipts }: Finding): FindingJson {
  return {
    reason,
    blame,
    das: [...das],
    refusals: refusals.map((one) => ({ ...one, answer: toHex(one.answer) })),
    receipts: receipts.map(({ reading, receipt }) => ({ reading: toHex(reading), receipt: toHex(receipt) })),
  };
}

function findingOf({ refusals, receipts, ...rest }: FindingJson): Finding {
  return {
    ...rest,
    refusals: refusals.map((one): RefusalEvidence => ({ ...one, answer: fromHex(one.answer) })),
    receipts: receipts.map(({ reading, receipt }) => ({ reading: fromHex(reading), receipt: fromHex(receipt) })),
  };
}

type EnrolmentId = Pick<Enrolment, "bid" | "from">;

function keyOf(region: number, period: Period, id: EnrolmentId): string {
  return `finding/${slotName(region, period)}/${enrolmentName(id)}`;
}

/** What the comparison of meters' logs found, with the evidence, by case and meter. The last comparison counts. */
export class Findings {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  find(region: number, period: Period, id: EnrolmentId): Finding | undefined {
    const key = keyOf(region, period, id);
    const bytes = this.#store.get(key);
    if (bytes === undefined) return undefined;
    const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    if (parsed.success) return findingOf(parsed.data);
    throw new VeilgridError("malformed", "a kept finding is not what was written", {
      facts: { key },
      blame: "operator",
    });
  }

  async keep(region: number, period: Period, id: EnrolmentId, found: Finding): Promise<void> {
    const value = utf8(JSON.stringify(findingJson(found)));
    await this.#store.write([{ key: keyOf(region, period, id), value }]);
  }
}
