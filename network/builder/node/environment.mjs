import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

// FOLDER FILE: prints, for a shell, the environment that a peer gives a Node chaincode in a container, from the
// chaincode.json that it gives an external builder; keys and certificates become files of the folder. fabric-shim reads
// the client's two in base64 of their PEM.
const [folder, file] = process.argv.slice(2);
const { chaincode_id, mspid, peer_address, client_cert, client_key, root_cert } = JSON.parse(
  readFileSync(file, "utf8"),
);

function written(name, content) {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const base64 = (pem) => Buffer.from(pem).toString("base64");
const tls = {
  CORE_PEER_TLS_ENABLED: "true",
  CORE_PEER_TLS_ROOTCERT_FILE: written("peer.crt", root_cert),
  CORE_TLS_CLIENT_CERT_PATH: written("client.crt", base64(client_cert)),
  CORE_TLS_CLIENT_KEY_PATH: written("client.key", base64(client_key)),
};
const environment = {
  CORE_CHAINCODE_ID_NAME: chaincode_id,
  CORE_PEER_LOCALMSPID: mspid,
  CORE_PEER_ADDRESS: peer_address,
  ...(client_cert === "" ? { CORE_PEER_TLS_ENABLED: "false" } : tls),
};

for (const [name, value] of Object.entries(environment)) {
  process.stdout.write(`export ${name}='${value.replaceAll("'", `'\\''`)}'\n`);
}
