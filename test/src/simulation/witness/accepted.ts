import { decodeResponse } from "@veilgrid/gateway";
import { isVeilgridError } from "@veilgrid/protocol";

/** The body of an accepted response; undefined for an answer, or for what is none. */
export function acceptedBody(response: Uint8Array): Uint8Array | undefined {
  try {
    const decoded = decodeResponse(response);
    return decoded.tag === "accepted" ? decoded.body : undefined;
  } catch (error) {
    if (isVeilgridError(error)) return undefined;
    throw error;
  }
}
