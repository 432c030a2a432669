import { randomUUID } from 'node:crypto';
import type { Answer, Problem } from './connection.js';

export interface Account {
  user: string;
  identifier: string;
  password: string;
}
export interface Session {
  user: string;
  deviceId: string;
  token: string;
}

const LIMIT_MS = 10_000;

/** One REST call; rejects when there is no answer. */
export async function call<Data>(
  url: string,
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer<Data>> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    signal: AbortSignal.timeout(LIMIT_MS),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json: unknown = text === '' ? undefined : JSON.parse(text);
  return response.ok ? { ok: true, data: json as Data } : { ok: false, error: json as Problem };
}

/** The same, for what has to succeed. */
export async function must<Data>(...request: Parameters<typeof call>): Promise<Data> {
  const answer = await call<Data>(...request);
  if (answer.ok) return answer.data;
  throw new Error(`${request[2]} ${request[3]}: ${JSON.stringify(answer.error)}`);
}

interface AuthResult {
  user: { id: string };
  tokens: { accessToken: string; deviceId: string };
}

export async function register(url: string, displayName: string): Promise<Account> {
  const identifier = `${randomUUID()}@example.com`;
  const password = randomUUID();
  const { user } = await must<AuthResult>(url, undefined, 'POST', '/auth/register', {
    identifier,
    password,
    displayName,
  });
  return { user: user.id, identifier, password };
}

export async function login(url: string, { identifier, password }: Account, name: string): Promise<Session> {
  const { user, tokens } = await must<AuthResult>(url, undefined, 'POST', '/auth/login', {
    identifier,
    password,
    device: { name },
  });
  return { user: user.id, deviceId: tokens.deviceId, token: tokens.accessToken };
}
