import "reflect-metadata";
import { webcrypto, X509Certificate as NodeCertificate } from "node:crypto";
import * as x509 from "@peculiar/x509";

const { subtle } = webcrypto;
x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 86_400_000;

export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await subtle.exportKey("pkcs8", key);
  return x509.PemConverter.encode(der, "PRIVATE KEY");
}

/** A certificate authority of a test. */
export class TestAuthority {
  readonly certificate: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #own: x509.X509Certificate;
  readonly #name: string;

  private constructor(name: string, keys: webcrypto.CryptoKeyPair, own: x509.X509Certificate) {
    this.#name = name;
    this.#keys = keys;
    this.#own = own;
    this.certificate = own.toString("pem");
  }

  static async make(name: string): Promise<TestAuthority> {
    const keys = (await subtle.generateKey(ALGORITHM, true, ["sign", "verify"]));
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + DAY),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    });
    return new TestAuthority(name, keys, own);
  }

  async issue(): Promise<Issued> {
    const keys = (await subtle.generateKey(ALGORITHM, true, ["sign", "verify"]));
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=client of ${this.#name}`,
      issuer: this.#own.subject,
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + DAY),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }])],
    });
    const text = certificate.toString("pem");
    // Read once more by another library: what a test relies on is a certificate.
    new NodeCertificate(text);
    return { certificate: text, key: await pem(keys.privateKey) };
  }
}
