import { lookup as resolve } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { epochMs } from '../clock/clock.js';
import { spanned, traceHeaders } from '../logging/tracing.js';

/** Addresses that are not on the open internet: private, loopback, link-local (with cloud metadata), shared, reserved. */
const inside = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  inside.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  inside.addSubnet(net, prefix, 'ipv6');

/** Whether an address literal is private or otherwise not on the open internet. IPv4 inside IPv6 counts as IPv4. */
export const isPrivateAddress = (address: string): boolean =>
  inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

export class PrivateAddressError extends Error {
  constructor() {
    super('the address is private');
    this.name = 'PrivateAddressError';
  }
}

export interface OutgoingPost {
  url: string;
  headers: Record<string, string | number>;
  body: string | Buffer | null;
  /** For URLs of the configuration; those of users and admins never. */
  allowPrivate: boolean;
  timeoutMs?: number;
}

export interface OutgoingAnswer {
  status: number;
  /** From Retry-After. */
  retryAfterMs: number | undefined;
  /** The beginning of it. */
  body: string;
}

const TIMEOUT_MS = 3000;
const BODY_MAX = 16_384;

/**
 * Posts to a host somebody else named. The name is resolved once, the address judged and then used, so that no second
 * answer of the DNS can point elsewhere; redirects are not followed; of the answer no more than 16 KB are read.
 * @throws PrivateAddressError, and whatever the network says, within the time limit
 */
export const postOutgoing = (post: OutgoingPost): Promise<OutgoingAnswer> =>
  spanned({ name: 'POST', kind: 'client', facts: { 'server.address': new URL(post.url).hostname } }, () => send(post));

async function send({
  url,
  headers,
  body,
  allowPrivate,
  timeoutMs = TIMEOUT_MS,
}: OutgoingPost): Promise<OutgoingAnswer> {
  const target = new URL(url);
  const signal = AbortSignal.timeout(timeoutMs);
  const address = await withSignal(resolvePublic(target.hostname, allowPrivate), signal);
  const begin = target.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((done, fail) => {
    const request = begin(target, {
      method: 'POST',
      headers: { ...headers, ...traceHeaders(), 'Content-Length': body === null ? 0 : Buffer.byteLength(body) },
      signal,
      agent: false,
      lookup: (_name, { all }, callback) =>
        all ? callback(null, [address]) : callback(null, address.address, address.family),
    });
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = () =>
        done({
          status: response.statusCode ?? 0,
          retryAfterMs: parseRetryAfter(response.headers['retry-after']),
          body: Buffer.concat(chunks).toString('utf8'),
        });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size < BODY_MAX) return;
        finish();
        request.destroy();
      });
      response.on('end', finish);
      response.on('error', fail);
    });
    request.end(body ?? undefined);
  });
}

/** Every address the name has must be fit, or none is used. @throws PrivateAddressError */
export async function resolvePublic(
  hostname: string,
  allowPrivate: boolean,
): Promise<{ address: string; family: number }> {
  const addresses = await resolve(hostname.replace(/^\[(.*)\]$/, '$1'), { all: true });
  if (!allowPrivate && addresses.some(({ address }) => isPrivateAddress(address))) throw new PrivateAddressError();
  const [first] = addresses;
  if (!first) throw new Error('the name has no address');
  return first;
}

/** The DNS knows no signal. */
function withSignal<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const limit = new Promise<never>((_, fail) => {
    signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
  });
  return Promise.race([work, limit]);
}

/** Seconds or a date (RFC 9110, 10.2.3), at most a day. */
export function parseRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - epochMs();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 1000), 86_400_000);
}
