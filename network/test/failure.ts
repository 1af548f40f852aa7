import { VeilgridError } from "@veilgrid/protocol";

/** The VeilgridError that something has to end with. */
export async function failure(action: () => unknown): Promise<VeilgridError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof VeilgridError) return error;
    throw error;
  }
  throw new Error("a VeilgridError was due");
}
