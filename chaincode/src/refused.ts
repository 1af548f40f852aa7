import { isVeilgridError, type VeilgridError } from "@veilgrid/protocol";

/**
 * How a contract says no: Fabric carries only a message to the client, so the message is JSON with the stable code,
 * the sentence, the facts and whether a retry makes sense.
 */
export class Refused extends Error {
  constructor({ code, message, facts, retry }: Pick<VeilgridError, "code" | "message" | "facts" | "retry">) {
    super(JSON.stringify({ code, message, facts, retry }));
    this.name = "Refused";
  }
}

/** Runs a transaction's body; what it refuses becomes a Refused, anything else is a defect and stays as it is. */
export async function refusing<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (isVeilgridError(error)) throw new Refused(error);
    throw error;
  }
}
