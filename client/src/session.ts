import { backoffMs, noAnswer, type ParleyError, sleep, toParleyError } from './errors.js';
import type { Tokens } from './generated/contract.js';
import type { Rest, TokenSource } from './rest.js';

/** Tokens of Parley's own sign-in, or a function that asks the host application for one. */
export type Credentials = { tokens: Tokens } | { getToken: () => Promise<string>; deviceId?: string };

export interface SessionPort {
  /** Without tokens: for the refresh itself. */
  rest: Rest;
  /** New tokens: worth keeping, and to be shown to the socket. */
  renewed(tokens: Tokens | undefined): void;
  /** The sign-in has ended; nothing can be renewed any more. */
  ended(error: ParleyError): void;
}

const RENEW_AT = 0.8;
const MAX_TIMER_MS = 2_147_483_647;

/** Knows the access token of the moment and renews it at 80 % of its life, one renewal at a time. */
export class Session implements TokenSource {
  private token: string | undefined;
  private tokens: Tokens | undefined;
  private renewal: Promise<string> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  private over: ParleyError | undefined;

  constructor(
    private readonly credentials: Credentials,
    private readonly port: SessionPort,
  ) {
    if ('tokens' in credentials) this.take(credentials.tokens);
  }

  get deviceId(): string | undefined {
    return 'tokens' in this.credentials ? this.tokens?.deviceId : this.credentials.deviceId;
  }
  get current(): Tokens | undefined {
    return this.tokens;
  }

  /** @throws refresh_invalid and the like when the sign-in has ended, `offline` when nobody answers */
  async accessToken(fresh = false): Promise<string> {
    if (this.over) throw this.over;
    if (this.token !== undefined && !fresh) return this.token;
    return this.renew();
  }

  renew(): Promise<string> {
    this.renewal ??= this.fetchToken().finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async fetchToken(): Promise<string> {
    if ('getToken' in this.credentials) {
      const token = await this.credentials.getToken();
      this.token = token;
      this.schedule(lifeOf(token));
      this.port.renewed(undefined);
      return token;
    }
    for (let attempt = 1; ; attempt++) {
      try {
        // One try each: the old refresh token works once more when its answer was lost.
        const tokens = await this.port.rest.post<Tokens>(
          '/auth/refresh',
          { refreshToken: this.tokens?.refreshToken },
          { anonymous: true, tries: 1 },
        );
        this.take(tokens);
        this.port.renewed(tokens);
        return tokens.accessToken;
      } catch (thrown) {
        const error = toParleyError(thrown);
        if (this.closed) throw noAnswer('closed', 'The client was closed', error);
        if (!error.retryable) return this.end(error);
        await sleep(backoffMs(attempt, error));
      }
    }
  }

  private end(error: ParleyError): never {
    this.over = error;
    clearTimeout(this.timer);
    this.port.ended(error);
    throw error;
  }

  private take(tokens: Tokens): void {
    this.tokens = tokens;
    this.token = tokens.accessToken;
    this.schedule(lifeOf(tokens.accessToken) ?? tokens.expiresIn * 1000);
  }

  private schedule(lifeMs: number | undefined): void {
    clearTimeout(this.timer);
    if (lifeMs === undefined || this.closed) return;
    this.timer = setTimeout(() => void this.renew().catch(() => undefined), Math.min(lifeMs * RENEW_AT, MAX_TIMER_MS));
    // A program that has nothing else to do may end.
    if (typeof this.timer === 'object') this.timer.unref?.();
  }
}

/** Milliseconds a JWT still lives by its own account, as far as this clock can be trusted. */
function lifeOf(token: string): number | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { exp, iat } = JSON.parse(atob(payload)) as { exp?: number; iat?: number };
    if (typeof exp !== 'number') return undefined;
    const left = exp * 1000 - Date.now();
    // A clock that is far off would renew at once and for ever, or never.
    const whole = typeof iat === 'number' ? (exp - iat) * 1000 : left;
    return left > 0 && left <= whole ? left : whole;
  } catch {
    return undefined;
  }
}
