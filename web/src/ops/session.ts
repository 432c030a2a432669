import { ParleyError } from '../../../client/src/errors.js';
import type { AuthResult, Tokens } from '../../../client/src/generated/contract.js';
import { Rest, type RestOptions } from '../../../client/src/rest.js';
import { Session } from '../../../client/src/session.js';

export { ParleyError };

const KEY = 'parley.ops';
/** What is asked for again soon is not worth a long wait. */
const WAIT_MS = 10_000;

type Kept = { tokens: Tokens } | { token: string };

/** The operator's access to the server. It ends with the tab: tokens are in its session storage and nowhere else. */
export class Operator {
  private readonly rest: Rest;
  private readonly etags = new Map<string, string>();
  private readonly session: Session;

  private constructor(kept: Kept, onEnd: () => void) {
    const credentials = 'tokens' in kept ? { tokens: kept.tokens } : { getToken: () => Promise.resolve(kept.token) };
    this.session = new Session(credentials, {
      rest: new Rest(''),
      renewed: (tokens) => tokens && keep({ tokens }),
      ended: () => {
        sessionStorage.removeItem(KEY);
        onEnd();
      },
    });
    this.rest = new Rest('', this.session, async (...request) => {
      const response = await fetch(...request);
      const etag = response.headers.get('etag');
      if (etag !== null) this.etags.set(new URL(response.url).pathname, etag);
      return response;
    });
  }

  /** The sign-in of this tab, if it has one. */
  static resume(onEnd: () => void): Operator | undefined {
    const kept = sessionStorage.getItem(KEY);
    return kept === null ? undefined : new Operator(JSON.parse(kept) as Kept, onEnd);
  }

  /** @throws ParleyError */
  static async signIn(identifier: string, password: string, onEnd: () => void): Promise<Operator> {
    const body = { identifier, password, device: { name: 'Operations page', platform: 'web' } };
    const { tokens } = await new Rest('').post<AuthResult>('/auth/login', body, { anonymous: true, tries: 1 });
    return Operator.with({ tokens }, onEnd);
  }

  /** An access token, or the probe token, which opens the health page alone. */
  static withToken(token: string, onEnd: () => void): Operator {
    return Operator.with({ token }, onEnd);
  }

  private static with(kept: Kept, onEnd: () => void): Operator {
    keep(kept);
    return new Operator(kept, onEnd);
  }

  /** Asks once, and waits 10 s at most. @throws ParleyError */
  get<Answer>(path: string): Promise<Answer> {
    return this.ask<Answer>('GET', path, {});
  }
  /** Sends what was read with `get` back, changed, if nobody else has changed it since. @throws ParleyError */
  replace<Answer>(path: string, body: unknown): Promise<Answer> {
    const etag = this.etags.get(`/api/v1${path}`) ?? '*';
    return this.ask<Answer>('PUT', path, { body, headers: { 'if-match': etag } });
  }
  post<Answer>(path: string): Promise<Answer> {
    return this.ask<Answer>('POST', path, {});
  }
  delete(path: string): Promise<void> {
    return this.ask<void>('DELETE', path, {});
  }

  signOut(): void {
    sessionStorage.removeItem(KEY);
    void this.ask('POST', '/auth/logout', {}).catch(() => undefined);
    this.session.close();
  }

  private ask<Answer>(method: string, path: string, options: RestOptions): Promise<Answer> {
    const limit = new Promise<never>((_, fail) => {
      const error = { code: 'timeout', status: 0, title: 'No answer', detail: `No answer within ${WAIT_MS / 1000} s` };
      setTimeout(() => fail(new ParleyError(error)), WAIT_MS);
    });
    return Promise.race([this.rest.request<Answer>(method, path, { ...options, tries: 1 }), limit]);
  }
}

const keep = (kept: Kept): void => sessionStorage.setItem(KEY, JSON.stringify(kept));
