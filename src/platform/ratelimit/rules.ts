import type { Config } from '../config/config.js';

/** How often something may happen: `points` in `seconds`; with `burst`, at that steady rate with up to `burst` at once. */
export interface Rule {
  points: number;
  seconds: number;
  burst: number;
  /**
   * Counted over all replicas. Rules that guard secrets and quotas always are. Those met on every request are shared
   * only over Redis: a database write per request would cost more than the limit protects.
   */
  shared: 'always' | 'redis' | 'never';
}

/** Where a caller stands with one rule. */
export interface Quota {
  rule: string;
  exceeded: boolean;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** Until the window ends; when exceeded, until a repeat makes sense. */
  resetMs: number;
}

const fixed = (points: number, seconds: number) => ({ points, seconds, burst: 0 });

/** Every rate limit of Parley under the name a refused caller sees. `RATE_SCALE` multiplies all. */
export function rulesOf(config: Config) {
  const rules = {
    rest: { ...config.RATE_REST, shared: 'redis' },
    anon: { ...config.RATE_ANON, shared: 'redis' },
    login: { ...config.RATE_LOGIN, shared: 'always' },
    'login.ip': { ...config.RATE_LOGIN_IP, shared: 'always' },
    register: { ...config.RATE_REGISTER, shared: 'always' },
    otp: { ...config.RATE_OTP, shared: 'always' },
    'otp.ip': { ...fixed(10, 900), shared: 'always' },
    password: { ...fixed(10, 900), shared: 'always' },
    search: { ...config.RATE_SEARCH, shared: 'always' },
    upload: { ...config.RATE_UPLOAD, shared: 'always' },
    'invite.accept': { ...fixed(20, 60), shared: 'always' },
    report: { ...fixed(20, 3600), shared: 'always' },
    export: { ...fixed(2, 86_400), shared: 'always' },
    'message.send': { ...config.RATE_SEND, shared: 'never' },
    socket: { ...config.RATE_SOCKET, shared: 'never' },
    typing: { ...fixed(1, 3), shared: 'never' },
    'presence.watch': { ...fixed(1, 1), shared: 'never' },
    handshake: { ...config.RATE_HANDSHAKE, shared: 'redis' },
    admission: { ...config.ADMISSION_RATE, shared: 'never' },
  } satisfies Record<string, Rule>;
  const scale = (n: number) => (n === 0 ? 0 : Math.max(1, Math.round(n * config.RATE_SCALE)));
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => [
      name,
      { ...rule, points: scale(rule.points), burst: scale(rule.burst) },
    ]),
  ) as Record<keyof typeof rules, Rule>;
}

export type RuleName = keyof ReturnType<typeof rulesOf>;
