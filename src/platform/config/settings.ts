import { z } from 'zod';

/** What one environment variable may hold. `secret` values never leave the process in any output. */
export interface Setting {
  schema: z.ZodType;
  allowed: string;
  description: string;
  secret: boolean;
}

const setting = <T extends z.ZodType>(schema: T, allowed: string, description: string, secret = false) => ({
  schema,
  allowed,
  description,
  secret,
});

// Each step of a schema costs a start some ten microseconds, and there are more than a hundred settings: what several
// have in common is made once.
const text = z.string().min(1);
const maybeText = text.optional();
const digits = z.string().regex(/^-?\d+$/, 'not a whole number');
const yesOrNo = z.enum(['true', 'false', '1', '0', 'on', 'off']);
const counts = z.string().regex(/^\d+\/\d+(\/\d+)?$/, 'not count/seconds');

const optionalText = (description: string, secret = false) => setting(maybeText, 'text', description, secret);
const integer = (byDefault: number, min: number, max: number, description: string) =>
  setting(
    digits.default(String(byDefault)).transform((value, context) => {
      const number = Number(value);
      if (number < min || number > max)
        context.addIssue({ code: 'custom', message: number < min ? 'too small' : 'too big' });
      return number;
    }),
    `a whole number from ${min} to ${max}`,
    description,
  );
const flag = (byDefault: boolean, description: string) =>
  setting(
    yesOrNo
      .default(byDefault ? 'true' : 'false')
      .transform((value) => value === 'true' || value === '1' || value === 'on'),
    'true or false',
    description,
  );
const oneOf = <const T extends readonly [string, ...string[]]>(values: T, byDefault: T[number], description: string) =>
  setting(z.enum(values).default(byDefault as never), values.join(', '), description);
const optionalOneOf = <const T extends readonly [string, ...string[]]>(values: T, description: string) =>
  setting(z.enum(values).optional(), values.join(', '), description);
const url = (protocols: RegExp, allowed: string, description: string, secret = false) =>
  setting(z.string().regex(protocols, 'not such a URL').optional(), allowed, description, secret);
const httpUrl = (description: string) => url(/^https?:\/\//, 'an http or https URL', description);
const ADDRESS = String.raw`[^\s@,<>]+@[^\s@,<>]+`;
const address = (description: string) =>
  setting(
    z
      .string()
      .regex(new RegExp(`^${ADDRESS}$`), 'not an e-mail address')
      .optional(),
    'an e-mail address',
    description,
  );
const addresses = (description: string) =>
  setting(
    z
      .string()
      .regex(new RegExp(`^${ADDRESS}(, *${ADDRESS})*$`), 'not e-mail addresses')
      .optional(),
    'e-mail addresses, comma-separated',
    description,
  );
const origin = (byDefault: string, description: string) =>
  setting(
    z
      .string()
      .regex(/^https?:\/\/[^/]+$/, 'not an origin')
      .default(byDefault),
    'an http or https URL without a path',
    description,
  );
const rate = (byDefault: string, description: string) =>
  setting(
    counts.default(byDefault).transform((value) => {
      const [points = 0, seconds = 1, burst = 0] = value.split('/').map(Number);
      return { points, seconds, burst };
    }),
    'count/seconds or count/seconds/burst',
    description,
  );

const serviceAccount = z.object({
  project_id: z.string().min(1),
  client_email: z.string().min(1),
  private_key: z.string().includes('PRIVATE KEY'),
  token_uri: z.url().default('https://oauth2.googleapis.com/token'),
});
/** What Parley needs of the JSON that Google makes for a service account. */
export type ServiceAccount = z.output<typeof serviceAccount>;

const json = z.string().transform((value, context): unknown => {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'not JSON' });
    return z.NEVER;
  }
});

/** Every variable Parley reads, in the order in which `parley config --help` prints them. Nothing else reads the environment. */
export const settings = {
  NODE_ENV: oneOf(
    ['development', 'test', 'production'],
    'development',
    'production refuses defaults that are only for development',
  ),
  PORT: integer(3000, 0, 65535, 'port of REST, sockets and probes; 0 picks a free one'),
  HOST: setting(text.default('0.0.0.0'), 'an address', 'address to listen on'),
  PUBLIC_URL: httpUrl('how clients reach this installation; used in links and as token issuer'),
  ROLE: oneOf(
    ['all', 'api', 'worker'],
    'all',
    'what this process does: requests and sockets, background work, or both',
  ),
  APP_SECRET: setting(
    z.string().min(32).optional(),
    '32 characters or more',
    'encrypts stored keys, signs links and cursors; required in production, elsewhere made once and kept',
    true,
  ),
  SETUP_TOKEN: setting(
    z.string().min(32).optional(),
    '32 characters or more',
    'presets the one-time token that creates the first admin',
    true,
  ),
  DATA_DIR: setting(
    text.default('.parley'),
    'a folder',
    'where a development installation keeps its database and secrets',
  ),

  DATABASE_URL: url(
    /^postgres(ql)?:\/\//,
    'a postgresql:// URL',
    'PostgreSQL 14 to 18; required in production, elsewhere an embedded server starts without it',
    true,
  ),
  DATABASE_DIRECT_URL: url(
    /^postgres(ql)?:\/\//,
    'a postgresql:// URL',
    'direct connection for migrations, LISTEN and leases when DATABASE_URL is a pooler',
    true,
  ),
  DB_SCHEMA: setting(
    z
      .string()
      .regex(/^(?!pg_|information_schema$|lifecycle)[a-z_][a-z0-9_]{0,49}$/)
      .default('public'),
    'a lower-case name',
    'schema of the application tables',
  ),
  DB_MIGRATE: oneOf(
    ['auto', 'verify'],
    'auto',
    'auto migrates at boot; verify waits for a schema that somebody else migrates',
  ),
  DB_ADOPT: oneOf(['off', 'exact'], 'off', 'baseline an existing database that equals a known schema exactly'),
  DB_REPAIR: oneOf(['off', 'additive'], 'off', 're-create missing objects at boot'),
  DB_AHEAD: oneOf(['compatible', 'refuse'], 'compatible', 'what to do on a newer schema than this build knows'),
  DB_OUT_OF_ORDER: oneOf(
    ['warn', 'refuse'],
    'warn',
    'what to do with a pending migration older than the newest applied one',
  ),
  DB_DRIFT: oneOf(['warn', 'strict'], 'warn', 'what to do with differences that do not break the build'),
  DB_POOLER: oneOf(
    ['xact', 'refuse'],
    'xact',
    'what to do when the lifecycle connection goes through a transaction pooler',
  ),
  DB_CONNECT_DELAY_MS: integer(2000, 10, 60_000, 'first delay between connection attempts at boot, in ms'),
  DB_CONNECT_MAX_RETRIES: integer(5, 0, 1000, 'attempts before the boot log rises from warning to error'),
  DB_CONNECT_TIMEOUT_MS: integer(5000, 100, 60_000, 'one connection attempt, in ms'),
  DB_POOL_MAX: integer(10, 2, 500, 'connections in the application pool'),
  DB_POOL_IDLE_MS: integer(30_000, 1000, 3_600_000, 'idle connections are closed after this, in ms'),
  DB_ACQUIRE_TIMEOUT_MS: integer(2000, 50, 60_000, 'longest wait of a request for a pool connection, in ms'),
  DB_POOL_TIMEOUT_MS: integer(20_000, 100, 120_000, 'longest wait of background work for a pool connection, in ms'),
  DB_STATEMENT_TIMEOUT_MS: integer(5000, 100, 600_000, 'longest statement, in ms'),
  DB_LOCK_TIMEOUT_MS: integer(2000, 50, 600_000, 'longest wait for a row lock, in ms'),
  BOOT_DEADLINE: integer(300, 1, 86_400, 'longest boot without progress, in s'),
  BOOT_LOCK_TIMEOUT_MS: integer(
    900_000,
    100,
    86_400_000,
    'longest wait for a live holder of the migration lock, in ms',
  ),
  BOOT_BLOCKED_HOLD_MS: integer(60_000, 0, 86_400_000, 'how long a blocked boot stays up for an operator, in ms'),
  BOOT_FAIL_HOLD_MS: integer(5000, 0, 600_000, 'how long a failed boot stays up for a probe to read the reason, in ms'),
  MIGRATE_LOCK_TIMEOUT_MS: integer(5000, 50, 600_000, 'lock_timeout of one migration file, in ms'),
  MIGRATE_LOCK_RETRIES: integer(8, 0, 100, 'attempts of a migration file that met a lock'),
  MIGRATE_STATEMENT_TIMEOUT_MS: integer(0, 0, 86_400_000, 'statement_timeout of migrations, in ms; 0 is none'),
  SCHEMA_GUARD_INTERVAL_MS: integer(
    60_000,
    100,
    86_400_000,
    'how often the live schema is compared with the manifest, in ms',
  ),
  READINESS_ON_DB_OUTAGE: oneOf(['fail', 'stay'], 'fail', 'whether /ready turns 503 while the database is down'),
  EMBEDDED_PG: oneOf(['auto', 'off'], 'auto', 'off makes a missing DATABASE_URL an error everywhere'),
  EMBEDDED_PG_DIR: setting(text.optional(), 'a folder', 'data of the embedded server; default DATA_DIR/pg'),
  EMBEDDED_PG_KEEP: flag(false, 'leave the embedded server running on exit'),

  LOG_LEVEL: oneOf(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
    'least severe level that is written',
  ),
  LOG_FILE: optionalText('also write the log to this file, rotated by size and day'),
  METRICS_TOKEN: optionalText('bearer token that /metrics asks for', true),
  HEALTH_PROBE_TOKEN: optionalText('bearer token that opens the detailed health pages without a user', true),
  DOCS_ENABLED: flag(true, 'serve /docs'),
  DEMO_ENABLED: setting(
    z
      .enum(['true', 'false'])
      .optional()
      .transform((value) => (value === undefined ? undefined : value === 'true')),
    'true or false',
    'serve the demo page at /; default: on with the embedded database outside production',
  ),
  BACKUP_LOCATION: optionalText('default target of `parley backup`'),

  REDIS_URL: url(/^rediss?:\/\//, 'a redis:// or rediss:// URL', 'bus and rate limits over Redis', true),
  REDIS_CA: optionalText(
    'certificates (PEM) of the authority that signed the one of a rediss:// server; usually as REDIS_CA_FILE',
  ),
  REDIS_CLUSTER: flag(false, 'REDIS_URL is an endpoint of a Redis cluster'),
  BUS_DRIVER: optionalOneOf(['memory', 'pg', 'redis'], 'bus between replicas; default pg, or redis with REDIS_URL'),
  QUEUE_DRIVER: optionalOneOf(['outbox', 'pgboss', 'sqs'], 'default outbox, or sqs with SQS_QUEUE_URL'),
  SQS_QUEUE_URL: httpUrl('queue over Amazon SQS'),
  SQS_ENDPOINT: httpUrl('endpoint of an SQS-compatible server'),
  AWS_REGION: setting(text.default('us-east-1'), 'a region', 'region of S3, SQS and Parameter Store'),
  AWS_ACCESS_KEY_ID: optionalText('only where no role provides credentials', true),
  AWS_SECRET_ACCESS_KEY: optionalText('only where no role provides credentials', true),
  S3_BUCKET_NAME: optionalText('media in S3; without it they are on disk'),
  S3_ENDPOINT: httpUrl('endpoint of an S3-compatible store'),
  S3_FORCE_PATH_STYLE: flag(false, 'path-style addresses for S3-compatible stores'),
  S3_MULTIPART_BYTES: integer(
    67_108_864,
    5_242_880,
    5_368_709_120,
    'larger files are sent to the bucket in parts, in bytes',
  ),
  S3_UPLOAD: oneOf(['post', 'put'], 'post', 'put for stores without presigned POST'),
  MEDIA_DIR: setting(text.default('./data/media'), 'a folder', 'media of the disk driver'),
  MEDIA_SCAN_URL: url(/^(https?|tcp):\/\//, 'an http(s) or tcp (clamd) URL', 'scanner that every upload passes'),
  FFPROBE_PATH: setting(
    text.default('ffprobe'),
    'a program',
    'tells the duration of sound and film; without it they have none',
  ),
  MEDIA_URL_TTL: integer(120, 1, 3600, 'life of a signed download link, in s'),
  MEDIA_UPLOAD_TTL: integer(300, 1, 3600, 'life of a signed upload link, in s'),
  MEDIA_MAX_BYTES: integer(26_214_400, 1, 5_368_709_120, 'largest file, in bytes'),
  MEDIA_DAILY_BYTES: integer(1_073_741_824, 1, 1_099_511_627_776, 'bytes a user may upload per day'),

  AUTH_REGISTRATION: oneOf(['open', 'closed'], 'open', 'whether anybody may create an account'),
  ACCESS_TOKEN_TTL: integer(600, 5, 86_400, 'life of an access token, in s'),
  REFRESH_TOKEN_TTL: integer(2_592_000, 60, 31_536_000, 'life of a refresh token, in s'),
  AUTH_ISSUER: optionalText('`iss` of own tokens; default PUBLIC_URL, else parley'),
  AUTH_AUDIENCE: setting(text.default('parley'), 'text', '`aud` of own tokens'),
  OTP_SENDER: oneOf(['log', 'webhook'], 'log', 'how one-time codes are sent; log is refused in production'),
  OTP_WEBHOOK_URL: httpUrl('receives otp.send'),
  OTP_WEBHOOK_SECRET: optionalText('signs otp.send', true),
  HOST_JWT_ISSUER: optionalText('`iss` of tokens of the host application'),
  HOST_JWT_AUDIENCE: optionalText('`aud` of tokens of the host application'),
  HOST_JWT_JWKS_URL: httpUrl('public keys of the host application'),
  HOST_JWT_SECRET: setting(
    z.string().min(32).optional(),
    '32 characters or more',
    'shared secret (HS256) of the host application',
    true,
  ),
  ERASE_AFTER_DAYS: integer(30, 0, 3650, 'days between deletion and erasure of an account'),

  CORS_ORIGINS: setting(
    z
      .string()
      .default('')
      .transform((value) =>
        value
          .split(',')
          .map((origin) => origin.trim())
          .filter(Boolean),
      )
      .pipe(z.array(z.string().regex(/^https?:\/\/[^/*]+$/, 'an exact origin is needed, wildcards are refused'))),
    'comma-separated origins, no wildcard',
    'web pages that may call Parley from another origin',
  ),
  TRUST_PROXY_HOPS: integer(0, 0, 10, 'reverse proxies in front whose X-Forwarded-For is believed'),
  SOCKET_POLLING: flag(false, 'allow the polling transport; needs sticky routing'),
  RATE_SCALE: setting(z.coerce.number().min(0.01).max(100_000).default(1), 'a number', 'multiplies every rate limit'),
  RATE_REST: rate('600/60', 'REST calls per user'),
  RATE_ANON: rate('60/60', 'REST calls per address without token'),
  RATE_SEND: rate('10/1/40', 'messages per user'),
  RATE_SOCKET: rate('20/1/100', 'socket events per socket'),
  RATE_HANDSHAKE: rate('60/60', 'handshakes per address'),
  ADMISSION_RATE: rate('150/1/300', 'handshakes per replica'),
  RATE_LOGIN: rate('10/900', 'logins per identifier'),
  RATE_LOGIN_IP: rate('30/900', 'logins per address'),
  RATE_REGISTER: rate('20/3600', 'registrations per address'),
  RATE_OTP: rate('3/900', 'one-time codes per identifier'),
  RATE_SEARCH: rate('30/60', 'searches per user'),
  RATE_UPLOAD: rate('60/60', 'uploads per user'),
  HTTP_BODY_MAX: integer(102_400, 1024, 104_857_600, 'largest request body, in bytes'),
  WS_FRAME_MAX: integer(131_072, 1024, 104_857_600, 'largest socket frame, in bytes'),
  MESSAGE_MAX_CHARS: integer(8000, 1, 100_000, 'longest message body'),
  MESSAGE_BATCH_MAX: integer(100, 1, 1000, 'messages stored by one statement; 1 stores each alone'),
  MESSAGE_MAX_ATTACHMENTS: integer(10, 0, 100, 'attachments per message'),
  GROUP_MAX_MEMBERS: integer(1000, 2, 100_000, 'members of a group'),
  CHANNEL_MAX_MEMBERS: integer(10_000, 2, 1_000_000, 'members of a channel'),
  MAX_SOCKETS_PER_USER: integer(10, 1, 10_000, 'sockets per user and replica'),
  EDIT_WINDOW: integer(0, 0, 31_536_000, 'how long a message can be edited, in s; 0 is unlimited'),
  PRESENCE_LEASE_TTL: integer(30, 2, 3600, 'life of a replica lease, in s'),
  PRESENCE_GRACE: integer(20, 0, 3600, 'how long a lost connection still counts as online, in s'),
  PRESENCE_STALE_AFTER: integer(300, 1, 86_400, 'the clean-up marks users offline after this, in s'),
  ANTI_ENTROPY_MS: integer(5000, 50, 600_000, 'how often heads are compared with the database, in ms'),
  NOTIFY_DELAY_MS: integer(3000, 0, 600_000, 'grace before a push is decided, in ms'),

  VAPID_PUBLIC_KEY: optionalText('Web Push key; made at first boot'),
  VAPID_PRIVATE_KEY: optionalText('Web Push key; made at first boot', true),
  VAPID_SUBJECT: optionalText('mailto: or https: contact for push services'),
  PUSH_WEBHOOK_URL: httpUrl('receives push.notify and push.clear'),
  PUSH_WEBHOOK_SECRET: optionalText('signs push.notify and push.clear', true),
  EXPO_ACCESS_TOKEN: optionalText('switches the Expo driver on', true),
  EXPO_URL: origin('https://exp.host', 'where Expo takes pushes'),
  FCM_SERVICE_ACCOUNT: setting(
    json.pipe(serviceAccount).optional(),
    'the JSON of a service account with project_id, client_email and private_key',
    'switches the FCM driver on',
    true,
  ),
  FCM_URL: origin('https://fcm.googleapis.com', 'where Firebase takes pushes'),
  APNS_KEY: setting(
    z
      .string()
      // Many places where variables are kept know no line breaks.
      .transform((key) => key.replaceAll(String.raw`\n`, '\n'))
      .pipe(z.string().includes('PRIVATE KEY'))
      .optional(),
    'a PEM (the .p8 file of Apple)',
    'signing key; switches the APNs driver on',
    true,
  ),
  APNS_KEY_ID: optionalText('id of APNS_KEY'),
  APNS_TEAM_ID: optionalText('Apple team'),
  APNS_TOPIC: optionalText('bundle id'),
  APNS_URL: origin(
    'https://api.push.apple.com',
    'where Apple takes pushes; https://api.sandbox.push.apple.com in tests',
  ),
  MODERATION_HOOK_URL: httpUrl('asked before a message is stored'),
  MODERATION_HOOK_FAIL: oneOf(['open', 'closed'], 'open', 'what an unreachable moderation hook means'),
  WEBHOOK_ALLOW_PRIVATE: flag(false, 'let webhooks reach private addresses'),
  LOAD_SHEDDING: flag(true, 'refuse the least important work while a replica is overloaded'),
  ALERT_WEBHOOK_URL: httpUrl('receives health alerts'),
  ALERT_WEBHOOK_SECRET: optionalText('signs health alerts', true),
  ALERT_EMAIL_TO: addresses('receive health alerts'),
  ALERT_EMAIL_FROM: address('whom health alerts come from'),
  SMTP_URL: url(
    /^smtps?:\/\/[^/]+\/?$/,
    'an smtp or smtps URL, with user and password where the server asks for them',
    'the mail server for health alerts',
    true,
  ),
  DRAIN_WAIT_MS: setting(
    z
      .string()
      .regex(/^\d+$/)
      .optional()
      .transform((value) => (value === undefined ? undefined : Number(value))),
    'a whole number',
    'how long a stopping process goes on serving, in ms; default 10000 in production, else 0',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl('switches tracing on; OTLP over HTTP, without /v1/traces'),
  OTEL_EXPORTER_OTLP_HEADERS: optionalText('name=value pairs, comma-separated, sent with traces', true),
  OTEL_SERVICE_NAME: setting(text.default('parley'), 'text', 'service name in traces'),
  OTEL_TRACES_SAMPLER_ARG: setting(
    z.coerce.number().min(0).max(1).default(1),
    'a number from 0 to 1',
    'share of the traces that begin here; those of a caller follow its decision',
  ),
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;
export type Settings = { [Name in SettingName]: z.output<(typeof settings)[Name]['schema']> };
