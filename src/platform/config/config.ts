import { readFileSync } from 'node:fs';
import { monotonicMs } from '../clock/clock.js';
import { settings, type Setting, type SettingName, type Settings } from './settings.js';

/** Parameter Store answers 40 requests a second to a whole account. */
const PARAMETER_FRESH_MS = 30_000;

/** Where a value came from, for `parley config print`. */
export type ConfigSource = 'default' | 'environment' | 'file' | 'parameter store';

/** The validated environment: one member per variable, under the variable's own name. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the constructor assigns every member of Settings
export class Config {
  constructor(
    values: Settings,
    readonly sources: Readonly<Record<string, ConfigSource>> = {},
    readonly warnings: readonly string[] = [],
    private readonly reread: (name: SettingName) => Promise<string> = () => Promise.reject(new Error('kept nowhere')),
  ) {
    Object.assign(this, values);
  }

  /**
   * For a setting kept in a file or in Parameter Store: says what stands there now, a parameter as it was at most 30 s ago.
   * Undefined for one that cannot change while the process runs.
   */
  follow(name: 'DATABASE_URL' | 'DATABASE_DIRECT_URL'): (() => Promise<string>) | undefined {
    if (this.sources[name] === 'file') return () => this.reread(name);
    if (this.sources[name] !== 'parameter store') return undefined;
    let known = { at: monotonicMs(), value: Promise.resolve(this[name] ?? '') };
    return () => {
      if (monotonicMs() - known.at >= PARAMETER_FRESH_MS) known = { at: monotonicMs(), value: this.reread(name) };
      return known.value;
    };
  }

  /** For every connection to REDIS_URL: over rediss:// the server proves who it is to the usual authorities, or to REDIS_CA. */
  get redisTransport(): { tls?: { ca?: string } } {
    if (!this.REDIS_URL?.startsWith('rediss:')) return {};
    return { tls: this.REDIS_CA === undefined ? {} : { ca: this.REDIS_CA } };
  }
  get isProduction(): boolean {
    return this.NODE_ENV === 'production';
  }

  /** Whether the demo page is served: where a development installation brings its own database, and wherever it is asked for. */
  get demo(): boolean {
    return this.DEMO_ENABLED ?? (!this.isProduction && this.DATABASE_URL === undefined);
  }

  /** `iss` of the tokens this installation makes. */
  get issuer(): string {
    return this.AUTH_ISSUER ?? this.PUBLIC_URL ?? 'parley';
  }
}
export interface Config extends Settings {}

/** One faulty variable. `given` is already redacted. */
export interface ConfigFault {
  name: string;
  problem: string;
  given?: string;
  allowed: string;
}

/** Lists every fault of the environment at once; never holds a secret. Ends the process with exit code 10. */
export class ConfigError extends Error {
  readonly exitCode = 10;
  constructor(readonly faults: readonly ConfigFault[]) {
    super(
      `configuration: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}\n` +
        faults
          .map(
            (f) =>
              `  ${f.name}: ${f.problem}${f.given === undefined ? '' : `; given: ${f.given}`}; allowed: ${f.allowed}`,
          )
          .join('\n'),
    );
    this.name = 'ConfigError';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;
/** Fetches a parameter by path; only called for values that begin with `ssm:`. */
export type ParameterReader = (path: string, region: string) => Promise<string>;

const readFromParameterStore: ParameterReader = async (path, region) => {
  const { readParameter } = await import('./parameter-store.js');
  return readParameter(path, region);
};

interface RawValue {
  value: string;
  source: ConfigSource;
}

/**
 * Reads and checks the whole environment. `NAME_FILE` reads a file, a value `ssm:/path` a parameter.
 * @throws ConfigError naming every faulty variable
 */
export async function loadConfig(env: Environment, readParameter = readFromParameterStore): Promise<Config> {
  const faults: ConfigFault[] = [];
  const sources: Record<string, ConfigSource> = {};
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    const raw = await readRaw(name, env, readParameter).catch((error: unknown) => {
      faults.push({
        name,
        problem: error instanceof Error ? error.message : 'cannot be read',
        allowed: setting.allowed,
      });
      return undefined;
    });
    const parsed = setting.schema.safeParse(raw?.value);
    if (parsed.success) values[name] = parsed.data;
    else if (!faults.some((fault) => fault.name === name)) {
      const problem = parsed.error.issues[0]?.message ?? 'invalid';
      const given =
        raw === undefined ? undefined : setting.secret ? '(hidden)' : JSON.stringify(raw.value.slice(0, 80));
      faults.push({ name, problem, given, allowed: setting.allowed });
    }
    sources[name] = raw?.source ?? 'default';
  }
  const reread = async (name: SettingName): Promise<string> => {
    const raw = await readRaw(name, env, readParameter);
    const parsed = settings[name].schema.safeParse(raw?.value);
    if (!raw || !parsed.success) throw new Error(`${name} has no valid value now`);
    return raw.value;
  };
  const config = new Config(values as Settings, sources, unknownNames(env), reread);
  faults.push(...contradictions(config, env));
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

async function readRaw(
  name: SettingName,
  env: Environment,
  readParameter: ParameterReader,
): Promise<RawValue | undefined> {
  const direct = env[name];
  if (direct?.startsWith('ssm:')) {
    const path = direct.slice('ssm:'.length);
    const value = await readParameter(path, env['AWS_REGION'] ?? 'us-east-1').catch(() => {
      throw new Error(`parameter ${path} cannot be read`);
    });
    return { value, source: 'parameter store' };
  }
  // An empty variable is what compose files and CI make of an unset one.
  if (direct !== undefined && direct !== '') return { value: direct, source: 'environment' };
  const file = env[`${name}_FILE`];
  if (!file || name === 'LOG_FILE') return undefined;
  try {
    return { value: readFileSync(file, 'utf8').trim(), source: 'file' };
  } catch (error) {
    throw new Error(`${name}_FILE cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
}

/** Rules that need more than one variable. */
function contradictions(config: Config, env: Environment): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const need = (name: SettingName, problem: string) => faults.push({ name, problem, allowed: settings[name].allowed });
  const given = (name: SettingName) => Boolean(env[name] ?? env[`${name}_FILE`]);
  if (config.isProduction && !given('DATABASE_URL')) need('DATABASE_URL', 'required in production');
  else if (config.EMBEDDED_PG === 'off' && !given('DATABASE_URL'))
    need('DATABASE_URL', 'required with EMBEDDED_PG=off');
  if (config.isProduction && !given('APP_SECRET')) need('APP_SECRET', 'required in production');
  if (config.BUS_DRIVER === 'redis' && !given('REDIS_URL')) need('REDIS_URL', 'required with BUS_DRIVER=redis');
  if (config.QUEUE_DRIVER === 'sqs' && !given('SQS_QUEUE_URL')) need('SQS_QUEUE_URL', 'required with QUEUE_DRIVER=sqs');
  if (config.OTP_SENDER === 'webhook' && !given('OTP_WEBHOOK_URL'))
    need('OTP_WEBHOOK_URL', 'required with OTP_SENDER=webhook');
  if (config.HOST_JWT_ISSUER && !config.HOST_JWT_JWKS_URL && !config.HOST_JWT_SECRET)
    need('HOST_JWT_JWKS_URL', 'this or HOST_JWT_SECRET is required with HOST_JWT_ISSUER');
  if (config.HOST_JWT_ISSUER && !config.HOST_JWT_AUDIENCE) need('HOST_JWT_AUDIENCE', 'required with HOST_JWT_ISSUER');
  for (const name of ['SMTP_URL', 'ALERT_EMAIL_FROM'] as const)
    if (config.ALERT_EMAIL_TO !== undefined && !given(name)) need(name, 'required with ALERT_EMAIL_TO');
  for (const name of ['APNS_KEY_ID', 'APNS_TEAM_ID', 'APNS_TOPIC'] as const)
    if (config.APNS_KEY !== undefined && !given(name)) need(name, 'required with APNS_KEY');
  return faults;
}

/** Parley's variables have no prefix; one that looks as if it were meant for Parley is named with its nearest neighbour. */
function unknownNames(env: Environment): string[] {
  const known = new Set<string>(Object.keys(settings));
  return Object.keys(env)
    .filter((name) => name.startsWith('PARLEY_') && !known.has(name) && name !== 'PARLEY_FAULTS')
    .map((name) => `${name} is not a setting of Parley; did you mean ${nearest(name.slice('PARLEY_'.length), known)}?`);
}

function nearest(name: string, candidates: Iterable<string>): string {
  let best = '';
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance with one row of memory (Wagner and Fischer 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
