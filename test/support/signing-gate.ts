import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** What the gate does instead of its work. */
export type Trouble = { status: number; code: string } | 'silent' | 'reset' | { delayMs: number } | undefined;

/** An answer of S3 that is no success. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail = code,
  ) {
    super(detail);
  }
}

const hash = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Uint8Array, data: string): Buffer => createHmac('sha256', key).update(data).digest();
/** RFC 3986, as SigV4 wants it. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const MAX_CLOCK_SKEW_MS = 15 * 60_000;

/**
 * Stands before an S3 server that believes everybody and checks what Amazon S3 checks, written from its documentation:
 * Signature Version 4 in headers, in presigned URLs and in forms, expiry, signed headers, the hash of the body, and the
 * conditions of a POST policy. What passes is handed on as it came.
 */
export class SigningGate {
  trouble: Trouble;
  /** Requests so far, refused ones included. */
  requests = 0;
  /** Hears of each request that is handed on. */
  onPass: (method: string, url: URL) => void = () => undefined;
  /** Requests that are carried out and never answered. */
  unanswered: (request: IncomingMessage) => boolean = () => false;
  /** Makes what is listed look this much older, in ms: the store sets times itself. */
  ageMs = 0;
  /** Codes of the refusals so far. */
  readonly refusals: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly upstream: URL,
    private readonly credentials: Credentials,
  ) {}

  static async start(upstream: string, credentials: Credentials): Promise<SigningGate> {
    const server = createServer();
    const gate = new SigningGate(server, new URL(upstream), credentials);
    server.on('request', (request, response) => void gate.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    try {
      const { trouble } = this;
      if (trouble === 'reset') return void request.socket.resetAndDestroy();
      const body = await buffer(request);
      if (trouble === 'silent') return;
      if (trouble && 'delayMs' in trouble) await new Promise((resolve) => setTimeout(resolve, trouble.delayMs));
      else if (trouble) throw new Refusal(trouble.status, trouble.code);
      this.judge(request, body);
      this.forward(request, body, response);
    } catch (error) {
      const { status, code, message } =
        error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
      this.refusals.push(code);
      response.writeHead(status, { 'content-type': 'application/xml', connection: 'close' });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
    }
  }

  private forward(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = request;
    this.onPass(method, new URL(url, this.upstream));
    const onward = httpRequest(
      {
        host: this.upstream.hostname,
        port: this.upstream.port,
        method,
        path: url,
        headers: { ...headers, connection: 'close' },
      },
      (answer) => {
        if (this.unanswered(request)) return void answer.resume();
        if (this.ageMs > 0 && method === 'GET' && isListing(new URL(url, this.upstream)))
          return void this.older(answer, response);
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    onward.end(body);
  }

  private async older(answer: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = (await buffer(answer)).toString();
    const shifted = text.replaceAll(
      /<(LastModified|Initiated)>([^<]+)</g,
      (_, name: string, time: string) => `<${name}>${new Date(Date.parse(time) - this.ageMs).toISOString()}<`,
    );
    response.writeHead(answer.statusCode ?? 500, { 'content-type': 'application/xml' });
    response.end(shifted);
  }

  private judge(request: IncomingMessage, body: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://s3');
    const type = request.headers['content-type'] ?? '';
    if (request.method === 'POST' && type.startsWith('multipart/form-data')) return this.judgeForm(url, type, body);
    if (url.searchParams.has('X-Amz-Signature')) return this.judgeUrl(request, url);
    if (request.headers.authorization !== undefined) return this.judgeHeaders(request, url, body);
    throw new Refusal(403, 'AccessDenied', 'not signed');
  }

  /** docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
  private judgeHeaders(request: IncomingMessage, url: URL, body: Buffer): void {
    const pattern = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
    const [, credential = '', signedHeaders = '', signature = ''] =
      pattern.exec(request.headers.authorization ?? '') ?? [];
    const date = String(request.headers['x-amz-date']);
    if (Math.abs(Date.now() - timeOf(date)) > MAX_CLOCK_SKEW_MS) throw new Refusal(403, 'RequestTimeTooSkewed');
    const payload = String(request.headers['x-amz-content-sha256']);
    if (payload !== 'UNSIGNED-PAYLOAD' && payload !== hash(body)) throw new Refusal(400, 'XAmzContentSHA256Mismatch');
    const names = signedHeaders.split(';');
    const unsigned = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-') && !names.includes(name));
    if (!names.includes('host') || unsigned.length > 0) throw new Refusal(403, 'AccessDenied', 'headers not signed');
    this.compare(request, url, { credential, signedHeaders, signature, date, payload });
  }

  /** docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
  private judgeUrl(request: IncomingMessage, url: URL): void {
    const parameter = (name: string): string => url.searchParams.get(`X-Amz-${name}`) ?? '';
    const [date, expires] = [parameter('Date'), Number(parameter('Expires'))];
    if (parameter('Algorithm') !== 'AWS4-HMAC-SHA256' || !(expires >= 1 && expires <= 604_800))
      throw new Refusal(400, 'AuthorizationQueryParametersError');
    if (Date.now() > timeOf(date) + expires * 1000) throw new Refusal(403, 'AccessDenied', 'Request has expired');
    this.compare(request, url, {
      credential: parameter('Credential'),
      signedHeaders: parameter('SignedHeaders'),
      signature: parameter('Signature'),
      date,
      payload: 'UNSIGNED-PAYLOAD',
    });
  }

  private compare(
    request: IncomingMessage,
    url: URL,
    given: { credential: string; signedHeaders: string; signature: string; date: string; payload: string },
  ): void {
    const query = [...url.searchParams]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .toSorted()
      .join('&');
    const headers = given.signedHeaders
      .split(';')
      .map(
        (name) =>
          `${name}:${String(request.headers[name] ?? '')
            .trim()
            .replaceAll(/ +/g, ' ')}\n`,
      )
      .join('');
    const path = url.pathname
      .split('/')
      .map((segment) => encode(decodeURIComponent(segment)))
      .join('/');
    const canonical = [request.method, path, query, headers, given.signedHeaders, given.payload].join('\n');
    const scope = given.credential.split('/').slice(1).join('/');
    const toSign = ['AWS4-HMAC-SHA256', given.date, scope, hash(canonical)].join('\n');
    this.requireSignature(given.credential, given.date.slice(0, 8), toSign, given.signature);
  }

  /** docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html */
  private judgeForm(url: URL, type: string, body: Buffer): void {
    const { fields, size } = parseForm(type, body);
    const policy = fields.get('policy') ?? '';
    const credential = fields.get('x-amz-credential') ?? '';
    const date = (fields.get('x-amz-date') ?? '').slice(0, 8);
    if (policy === '') throw new Refusal(403, 'AccessDenied', 'no policy');
    this.requireSignature(credential, date, policy, fields.get('x-amz-signature') ?? '');
    const { expiration, conditions } = JSON.parse(Buffer.from(policy, 'base64').toString()) as {
      expiration: string;
      conditions: (Record<string, string> | [string, string | number, string | number])[];
    };
    if (new Date(expiration).getTime() < Date.now()) throw new Refusal(403, 'AccessDenied', 'Policy expired');
    const covered = new Set(['x-amz-signature', 'policy', 'file']);
    const values = new Map([...fields, ['bucket', url.pathname.split('/')[1] ?? '']]);
    for (const condition of conditions) {
      const [operator, name, value] = Array.isArray(condition)
        ? condition
        : ['eq', `$${Object.keys(condition)[0]}`, Object.values(condition)[0] ?? ''];
      if (operator === 'content-length-range') {
        if (size < Number(name)) throw new Refusal(400, 'EntityTooSmall');
        if (size > Number(value)) throw new Refusal(400, 'EntityTooLarge');
        continue;
      }
      const field = String(name).slice(1).toLowerCase();
      const given = values.get(field) ?? '';
      const holds = operator === 'eq' ? given === value : operator === 'starts-with' && given.startsWith(String(value));
      if (!holds) throw new Refusal(403, 'AccessDenied', `Policy condition failed: ${field}`);
      covered.add(field);
    }
    const extra = [...fields.keys()].filter((name) => !covered.has(name) && !name.startsWith('x-ignore-'));
    if (extra.length > 0) throw new Refusal(403, 'AccessDenied', `Extra input fields: ${extra.join()}`);
  }

  private requireSignature(credential: string, date: string, toSign: string, signature: string): void {
    const [accessKeyId, day = '', region = '', service = '', end = ''] = credential.split('/');
    if (accessKeyId !== this.credentials.accessKeyId) throw new Refusal(403, 'InvalidAccessKeyId');
    if (day !== date || service !== 's3' || end !== 'aws4_request')
      throw new Refusal(400, 'AuthorizationHeaderMalformed');
    const key = [region, service, end].reduce(
      (previous, part) => hmac(previous, part),
      hmac(`AWS4${this.credentials.secretAccessKey}`, day),
    );
    const expected = hmac(key, toSign);
    const given = Buffer.from(signature, 'hex');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new Refusal(403, 'SignatureDoesNotMatch');
  }
}

const isListing = ({ searchParams }: URL): boolean =>
  searchParams.has('list-type') || (searchParams.has('uploads') && !searchParams.has('uploadId'));

/** 20261231T235959Z in ms; NaN is no time. */
function timeOf(date: string): number {
  const [, y, m, d, h, min, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const time = Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`);
  if (Number.isNaN(time)) throw new Refusal(403, 'AccessDenied', 'no valid date');
  return time;
}

/** Fields before the file by their lower-case names, and the size of the file (RFC 7578). */
function parseForm(type: string, body: Buffer): { fields: Map<string, string>; size: number } {
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1] ?? '';
  const fields = new Map<string, string>();
  let at = body.indexOf(`--${boundary}`);
  for (;;) {
    const start = body.indexOf('\r\n\r\n', at);
    const end = body.indexOf(`\r\n--${boundary}`, start);
    if (start < 0 || end < 0) throw new Refusal(400, 'MalformedPOSTRequest');
    const name = /name="([^"]+)"/.exec(body.subarray(at, start).toString())?.[1]?.toLowerCase() ?? '';
    const content = body.subarray(start + 4, end);
    if (name === 'file') return { fields, size: content.length };
    fields.set(name, content.toString());
    at = end + 2;
  }
}
