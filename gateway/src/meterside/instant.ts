import { VeilgridError, periodAt, type Period } from "@veilgrid/protocol";
import { parseTime } from "../input/zone.js";

/** The period that an RFC 3339 time lies in. @throws VeilgridError `bad-time` for anything else. */
export function periodAtInstant(text: string, periodSeconds: number): Period {
  const time = parseTime(text);
  if (time?.offset !== undefined) return periodAt(time.wall - time.offset, periodSeconds);
  throw new VeilgridError("bad-time", `${text} is not a time with its offset, such as 2026-03-02T00:00Z`, {
    facts: { text },
    blame: "operator",
  });
}
