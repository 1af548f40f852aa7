import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/**
 * The first blocks of a real channel, as KGCBP's peer gave them (Fabric 3.1.1, `npm run fabric -- up`, `deploy`): 0 the
 * configuration, 1 to 5 approvals of the chaincode, 6 its definition, 7 two set-ups endorsed at once, 8 a query that was
 * ordered.
 */
export const REAL_BLOCKS: readonly Uint8Array[] = Array.from({ length: 9 }, (_, number) =>
  gunzipSync(readFileSync(new URL(`../../../test/fabric/blocks/${number}.block.gz`, import.meta.url))),
);
