import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
  type JsonGeneralName,
} from "@peculiar/x509";

/** PEM text (RFC 7468). */
export type PEM = string;

/** A certificate and its private key (PKCS #8). */
export interface Identity {
  readonly certificate: PEM;
  readonly key: PEM;
}

/** What an authority is made of, and how long its certificates hold. */
export interface AuthorityOptions {
  /** Days from now on; ten years by default for an authority, one for what it issues. */
  readonly days?: number;
}

/** Whose certificate it is, and by which names it is reached. */
export interface Subject {
  /** Common name. */
  readonly name: string;
  /** DNS names and IP addresses that a server is reached by; none for a client that nobody connects to. */
  readonly hosts?: readonly string[];
  /** Whether it introduces its holder as a client, too; yes if not given. */
  readonly client?: boolean;
  readonly days?: number;
  /** Unix milliseconds from which it holds; now if not given. */
  readonly from?: number;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY = 86_400_000;
/** A clock that is behind takes a certificate that is new. */
const LEEWAY = 3_600_000;

const { subtle } = webcrypto;

function lifetime(days: number, from = Date.now()): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(from - LEEWAY), notAfter: new Date(from + days * DAY) };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function keyPem(key: webcrypto.CryptoKey): Promise<PEM> {
  return `${PemConverter.encode(await subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

function certificatePem(certificate: X509Certificate): PEM {
  return `${certificate.toString("pem")}\n`;
}

function hostName(host: string): JsonGeneralName {
  return { type: /^[\d.]+$|:/.test(host) ? "ip" : "dns", value: host };
}

/**
 * An organisation's certificate authority (RFC 5280, ECDSA on P-256): who trusts its certificate trusts what it issued.
 * Made where a consortium is generated on one machine, and by tests; on real machines an organisation has its own.
 */
export class Authority {
  readonly #own: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(own: X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#own = own;
    this.#keys = keys;
  }

  /** A new authority with a key that nobody else has. */
  static async make(name: string, { days = 3650 }: AuthorityOptions = {}): Promise<Authority> {
    const keys = await newKeys();
    const own = await X509CertificateGenerator.createSelfSigned(
      {
        // OpenSSL compares names without case: one that a leaf has, too, would make that leaf its own issuer.
        name: [{ CN: [`${name} certificate authority`] }],
        ...lifetime(days),
        keys,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new BasicConstraintsExtension(true, 0, true),
          new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
          await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        ],
      },
      webcrypto,
    );
    return new Authority(own, keys);
  }

  /** The authority's own certificate: what others trust. */
  get certificate(): PEM {
    return certificatePem(this.#own);
  }

  /** The authority's private key: who has it can be anybody to those who trust the authority. */
  key(): Promise<PEM> {
    return keyPem(this.#keys.privateKey);
  }

  /** A new key with a certificate that serves as a client's, if it is to, and, where hosts are named, as a server's. */
  async issue({ name, hosts = [], client = true, days = 365, from }: Subject): Promise<Identity> {
    const keys = await newKeys();
    const usages = [
      ...(client ? [ExtendedKeyUsage.clientAuth] : []),
      ...(hosts.length > 0 ? [ExtendedKeyUsage.serverAuth] : []),
    ];
    const certificate = await X509CertificateGenerator.create(
      {
        subject: [{ CN: [name] }],
        issuer: this.#own.subjectName,
        ...lifetime(days, from),
        publicKey: keys.publicKey,
        signingKey: this.#keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension(usages),
          await AuthorityKeyIdentifierExtension.create(this.#own, false, webcrypto),
          ...(hosts.length > 0 ? [new SubjectAlternativeNameExtension(hosts.map(hostName))] : []),
        ],
      },
      webcrypto,
    );
    return { certificate: certificatePem(certificate), key: await keyPem(keys.privateKey) };
  }
}
