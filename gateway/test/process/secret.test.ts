import { toHex } from "@veilgrid/protocol";
import { expect } from "chai";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSecret } from "../../src/process/secret.js";
import { secretOf } from "../support/committee.js";
import { problemIn, scratch } from "../support/scratch.js";

describe("a secret's file", () => {
  const folder = scratch();

  async function written(name: string, text: string, mode = 0o600): Promise<string> {
    const path = join(folder.path, name);
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  }

  it("holds 64 hex digits that its owner alone reads", async () => {
    const secret = secretOf("somebody");
    expect(await readSecret(await written("good", `${toHex(secret)}\n`))).to.deep.equal(secret);
  });

  it("that others may open is refused, with what to do", async () => {
    const path = await written("open", toHex(secretOf("somebody")), 0o640);
    const error = await problemIn(readSecret(path));
    expect(error.code).to.equal("bad-secret-file");
    expect(error.message).to.equal(`the secret file ${path} may be opened by others (mode 0640): chmod 600 ${path}`);
  });

  it("that is missing, short or no scalar is refused without a word of what is in it", async () => {
    const short = toHex(secretOf("somebody")).slice(1);
    const paths = [join(folder.path, "none"), await written("short", short), await written("zero", "0".repeat(64))];
    const messages: string[] = [];
    for (const path of paths) messages.push((await problemIn(readSecret(path))).message.replaceAll(path, "FILE"));
    expect(messages).to.deep.equal([
      "the secret file FILE is not there",
      "the secret file FILE does not hold 64 hex digits",
      "the secret file FILE holds no secret of BIP-340",
    ]);
  });
});
