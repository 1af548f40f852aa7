import { VeilgridError, fromHex, toHex } from "@veilgrid/protocol";
import type { Proof } from "@veilgrid/meter-client";
import { z } from "zod";

const hex = (bytes?: number): z.ZodType<string> =>
  z.string().regex(bytes === undefined ? /^(?:[0-9a-f]{2})+$/ : new RegExp(`^[0-9a-f]{${2 * bytes}}$`));

const schema = z.strictObject({
  format: z.literal("veilgrid/receipts"),
  version: z.literal(1),
  receipts: z.array(z.strictObject({ reading: hex(113), receipt: hex() })).min(1),
});

/** Receipts as JSON: signed readings of 113 bytes and their Q acks, in hex. It names no meter and no customer. */
export type ReceiptsJson = z.infer<typeof schema>;

export function receiptsJson(proofs: readonly Proof[]): ReceiptsJson {
  const receipts = proofs.map(({ reading, receipt }) => ({ reading: toHex(reading), receipt: toHex(receipt) }));
  return { format: "veilgrid/receipts", version: 1, receipts };
}

/** Reads a file of receipts; nothing of them is verified. @throws VeilgridError `bad-receipt-file` naming the field. */
export function parseReceipts(text: string): Proof[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw bad("", "it is no JSON", cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) {
    return parsed.data.receipts.map(({ reading, receipt }) => ({
      reading: fromHex(reading),
      receipt: fromHex(receipt),
    }));
  }
  const [issue] = parsed.error.issues;
  throw bad(issue?.path.join("/") ?? "", issue?.message ?? "", parsed.error);
}

function bad(path: string, why: string, cause?: unknown): VeilgridError {
  const message = `bad receipt file: ${path === "" ? "" : `${path}: `}${why}`;
  return new VeilgridError("bad-receipt-file", message, { facts: { path, why }, blame: "caller", cause });
}
