import { parseRetryAfter } from '../../../platform/http/outgoing-post.js';

/** What a provider said; `body` is undefined where it is no JSON. */
export interface ProviderAnswer {
  status: number;
  retryAfterMs: number | undefined;
  body: unknown;
}

/**
 * Posts to a provider that the configuration names, on connections that are kept open.
 * @throws whatever the network says, or the signal
 */
export async function postToProvider(
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<ProviderAnswer> {
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal });
  return {
    status: response.status,
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after') ?? undefined),
    body: parsed(await response.text()),
  };
}

/** JSON, or undefined. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
