import { X509Certificate } from "node:crypto";
import { VeilgridError } from "@veilgrid/protocol";

/** Certificates that a process has told apart are remembered, so many at most. */
const REMEMBERED = 1000;

/** Tells of which organisation a client's certificate is. */
export class Callers {
  readonly #authorities: ReadonlyMap<string, X509Certificate>;
  readonly #known = new Map<string, string | undefined>();

  /** @param authorities by MSP id: the certificate (PEM) of the authority that signs its clients'. */
  constructor(authorities: ReadonlyMap<string, string>) {
    this.#authorities = new Map([...authorities].map(([msp, pem]) => [msp, read(msp, pem)]));
  }

  /** The organisation whose authority signed the certificate (DER); undefined where none did. */
  organisationOf(der: Uint8Array): string | undefined {
    const certificate = new X509Certificate(der);
    const { fingerprint256 } = certificate;
    if (this.#known.has(fingerprint256)) return this.#known.get(fingerprint256);
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    const found = [...this.#authorities].find(([, authority]) => isSignedBy(certificate, authority))?.[0];
    this.#known.set(fingerprint256, found);
    return found;
  }
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function read(msp: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new VeilgridError("bad-credentials", `the authority's certificate of ${msp} cannot be read`, {
      facts: { msp },
      blame: "operator",
      cause,
    });
  }
}
