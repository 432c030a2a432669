import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

const DAY_MS = 86_400_000;
const ECDSA_SHA256 = '06082a8648ce3d040302';
const COMMON_NAME = '0603550403';
const BASIC_CONSTRAINTS = '0603551d13';
const ALTERNATIVE_NAMES = '0603551d11';

function tlv(tag: number, ...content: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)));
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...content: (Buffer | string)[]): Buffer => tlv(0x30, ...content);
const nameOf = (text: string): Buffer => sequence(tlv(0x31, sequence(COMMON_NAME, tlv(0x0c, Buffer.from(text)))));
const time = (date: Date): Buffer => tlv(0x18, Buffer.from(date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')));
const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;

export interface Certificate {
  cert: string;
  key: string;
}

/** An authority of a test's own; what it signs is as real as any other certificate. */
export class Authority {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly cert: string;

  constructor(private readonly name = 'Parley test authority') {
    const constraints = sequence(BASIC_CONSTRAINTS, '0101ff', tlv(0x04, sequence('0101ff')));
    this.cert = this.signed(name, this.keys.publicKey, constraints, DAY_MS);
  }

  /** For one address or name; with a negative life it ran out that long ago. */
  issue(host: string, lifeMs = DAY_MS): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const name = isIPv4(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host));
    const names = sequence(ALTERNATIVE_NAMES, tlv(0x04, sequence(name)));
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { cert: this.signed(host, publicKey, names, lifeMs), key };
  }

  private signed(subject: string, publicKey: KeyObject, extension: Buffer, lifeMs: number): string {
    const now = Date.now();
    const body = sequence(
      tlv(0xa0, '020102'),
      tlv(0x02, '01', randomBytes(8)),
      sequence(ECDSA_SHA256),
      nameOf(this.name),
      sequence(time(new Date(now - 10 * DAY_MS)), time(new Date(now + lifeMs))),
      nameOf(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      tlv(0xa3, sequence(extension)),
    );
    const signature = sign('sha256', body, this.keys.privateKey);
    return pem('CERTIFICATE', sequence(body, sequence(ECDSA_SHA256), tlv(0x03, '00', signature)));
  }
}
