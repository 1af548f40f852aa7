import { answerCodec, isVeilgridError, type Answer } from "@veilgrid/protocol";
import { decodeResponse } from "../transport/envelopes.js";

/** What `read` makes of a response; undefined where it is malformed, which a peer may be but must not break this DA. */
function lenient<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isVeilgridError(error, "malformed")) return undefined;
    throw error;
  }
}

/** The body of an accepted response, decoded; undefined for an answer or anything malformed. */
export function acceptedBody<T>(response: Uint8Array, decode: (body: Uint8Array) => T): T | undefined {
  return lenient(() => {
    const decoded = decodeResponse(response);
    return decoded.tag === "accepted" ? decode(decoded.body) : undefined;
  });
}

/** The Answer in a response; undefined where it is another or malformed. */
export function answerIn(response: Uint8Array): Answer | undefined {
  return lenient(() => {
    const decoded = decodeResponse(response);
    return decoded.tag === "answer" ? answerCodec.decode(decoded.answer) : undefined;
  });
}
