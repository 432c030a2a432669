import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { randomBuffer } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { appSecret } from '../config/installation-secrets.js';

const FORMAT = 1;
const NONCE = 12;
const TAG = 16;

/** Encrypts what is stored and signs what leaves, with keys derived from APP_SECRET; each purpose has a key of its own. */
@Injectable()
export class SecretBox {
  private readonly secret: string;

  constructor(config: Config) {
    this.secret = appSecret(config);
  }

  /** AES-256-GCM; base64url of format, nonce, tag, ciphertext. */
  seal(purpose: string, plain: string): string {
    const nonce = randomBuffer(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.key(purpose), nonce);
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** @throws when it was sealed for another purpose or under another APP_SECRET */
  open(purpose: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes[0] !== FORMAT) throw new Error('sealed value of an unknown format');
    const decipher = createDecipheriv('aes-256-gcm', this.key(purpose), bytes.subarray(1, 1 + NONCE));
    decipher.setAuthTag(bytes.subarray(1 + NONCE, 1 + NONCE + TAG));
    return decipher.update(bytes.subarray(1 + NONCE + TAG), undefined, 'utf8') + decipher.final('utf8');
  }

  /** HMAC-SHA-256, base64url: for links, cursors and hashes of low-entropy values. */
  sign(purpose: string, text: string): string {
    return createHmac('sha256', this.key(purpose)).update(text).digest('base64url');
  }

  private key(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.secret, '', `parley/${purpose}`, 32));
  }
}
