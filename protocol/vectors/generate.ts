import { writeVectors } from "./files.js";
import { fromInput } from "./from-input.js";
import { readInput } from "./input.js";
import { mustFail } from "./must-fail/index.js";
import { structs } from "./structs.js";

/* `npm run vectors`: writes the project's own vectors anew. Tests hold the committed files to what this makes. */

writeVectors("structs.json", structs());
writeVectors("must-fail.json", mustFail());
writeVectors("from-input.json", fromInput(readInput()));
