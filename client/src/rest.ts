import { backoffMs, noAnswer, ParleyError, type Problem, sleep } from './errors.js';
import { newId } from './ids.js';

export interface RestOptions {
  body?: unknown;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  /** Without the access token. */
  anonymous?: boolean;
  /** Tries in all; 1 where a repetition would not be harmless. */
  tries?: number;
}

/** Where access tokens come from; `fresh` after the server refused the one given. */
export interface TokenSource {
  accessToken(fresh?: boolean): Promise<string>;
}

const TRIES = 4;

/** REST calls below /api/v1. Retries what is safe to repeat, and renews an expired token once. */
export class Rest {
  readonly base: string;

  constructor(
    url: string,
    private readonly tokens?: TokenSource,
    private readonly fetcher: typeof fetch = (...request) => fetch(...request),
  ) {
    this.base = `${url.replace(/\/+$/, '')}/api/v1`;
  }

  get<T>(path: string, query?: RestOptions['query']): Promise<T> {
    return this.request<T>('GET', path, query ? { query } : {});
  }
  post<T>(path: string, body?: unknown, options: RestOptions = {}): Promise<T> {
    return this.request<T>('POST', path, { body, ...options });
  }
  put<T>(path: string, body?: unknown, options: RestOptions = {}): Promise<T> {
    return this.request<T>('PUT', path, { body, ...options });
  }
  patch<T>(path: string, body?: unknown, options: RestOptions = {}): Promise<T> {
    return this.request<T>('PATCH', path, { body, ...options });
  }
  delete<T = void>(path: string, options: RestOptions = {}): Promise<T> {
    return this.request<T>('DELETE', path, options);
  }

  /** @throws ParleyError with the problem of the server, or `offline` */
  async request<T>(method: string, path: string, options: RestOptions = {}): Promise<T> {
    // One key for all tries: the server then does the work once.
    const key: Record<string, string> = method === 'POST' ? { 'Idempotency-Key': newId() } : {};
    const tries = options.tries ?? TRIES;
    let renewed = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once<T>(method, path, { ...options, headers: { ...key, ...options.headers } }, renewed);
      } catch (thrown) {
        if (!(thrown instanceof ParleyError)) throw thrown;
        if (thrown.code === 'token_expired' && !options.anonymous && !renewed) {
          renewed = true;
          continue;
        }
        if (!thrown.retryable || attempt >= tries) throw thrown;
        await sleep(backoffMs(attempt, thrown));
      }
    }
  }

  private async once<T>(method: string, path: string, options: RestOptions, renew: boolean): Promise<T> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {}))
      if (value !== undefined) query.set(name, String(value));
    const token =
      options.anonymous || !this.tokens ? {} : { authorization: `Bearer ${await this.tokens.accessToken(renew)}` };
    let response: Response;
    try {
      response = await this.fetcher(`${this.base}${path}${query.size > 0 ? `?${query}` : ''}`, {
        method,
        headers: {
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...token,
          ...options.headers,
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      });
    } catch (cause) {
      throw noAnswer('offline', `${method} ${path} had no answer`, cause);
    }
    return (await answerOf(response)) as T;
  }
}

/** The body of a good answer; a bad one is thrown. */
export async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json') && text !== '';
  const body: unknown = json ? JSON.parse(text) : undefined;
  if (response.ok) return body;
  const retryAfter = Number(response.headers.get('retry-after'));
  throw new ParleyError({
    // A proxy in between answers without a problem.
    code: `http_${response.status}`,
    title: response.statusText,
    detail: response.statusText,
    ...(retryAfter > 0 ? { retryAfterMs: retryAfter * 1000 } : {}),
    ...(body as Partial<Problem> | undefined),
    status: response.status,
  });
}
