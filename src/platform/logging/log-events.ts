export type Level = 'debug' | 'info' | 'warn' | 'error';

/** The levels at which an event is written, and when it is. */
type Row = readonly [levels: Level | readonly Level[], when: string];

const startAndStop = {
  'config.unknown': ['warn', 'a variable looks as if it were meant for Parley and is none'],
  'embedded.started': ['info', 'the embedded PostgreSQL was started'],
  'embedded.adopted': ['info', 'it ran already, and was taken over'],
  'embedded.stopped': ['info', 'it was stopped'],
  'embedded.left_running': ['info', 'it was left to another replica'],
  'boot.database.ready': ['info', 'the schema is migrated, seeded and verified'],
  'boot.services.ready': ['info', 'everything above the database is up'],
  'boot.completed': ['info', 'the boot went well; `ms` since the process began'],
  'boot.listening': ['info', 'the port takes traffic'],
  'boot.ready': ['info', 'the phases of the boot with their milliseconds'],
  'boot.serving': ['info', 'where Parley is to be found'],
  'boot.database.failed': ['error', 'the database could not be made ready; `hint` says what to do'],
  'boot.blocked': ['error', 'a decision is needed; the boot waits `holdMs` for it'],
  'boot.aborted': [['warn', 'error'], 'a stop signal came during the boot'],
  'boot.failed': ['error', 'the boot ends, and why'],
  'boot.exit': ['error', 'the exit code'],
  'setup.required': ['warn', 'there is no admin yet; the line says how the first one is made'],
  'setup.failed': ['error', 'that could not be prepared'],
  'background.started': ['info', 'background work runs'],
  'storage.on_disk': ['warn', 'files are on a disk in production'],
  'shutdown.step': ['info', 'a step of the stop is done'],
  'shutdown.completed': ['info', 'the stop is done'],
  'process.unhandled': ['error', 'something threw where nobody waits for it; the process goes on'],
} as const satisfies Record<string, Row>;

const database = {
  'db.connected': ['info', 'the boot has its connection'],
  'db.connect_retry': ['warn', 'it has none yet; class and hint say why'],
  'db.connect_fatal': ['error', 'it will have none: no retry helps'],
  'db.connection_lost': ['warn', 'the connection of the boot broke'],
  'db.pooler_detected': ['warn', 'a pooler stands before the database'],
  'db.warning': ['warn', 'a setting of the server that will hurt'],
  'db.state': [['info', 'warn'], 'the probe of the database changed its mind'],
  'db.error': ['warn', 'an idle connection died'],
  'db.slow_query': ['warn', 'a statement took more than a second; its name, no values'],
  'lock.waiting': ['info', 'another process holds the migration lock; who'],
  'lock.acquired': ['info', 'this process holds it'],
  'lock.released': ['info', 'it is free again'],
  'migration.plan': ['info', 'what will be applied'],
  'migration.started': ['info', 'a migration begins'],
  'migration.applied': ['info', 'it is done'],
  'migration.lock_retry': ['warn', 'a table was in use; it is tried again'],
  'migration.failed': ['error', 'it failed, at this line of the file'],
  'migration.quarantined': ['error', 'it failed again and is left alone until somebody decides'],
  'migration.out_of_order': ['warn', 'it is older than one already applied'],
  'history.adopted': ['info', 'a database that was there before its history'],
  'history.resolved': ['info', 'an entry of the history was settled, and why'],
  'seed.applied': ['info', 'a seed was applied'],
  'schema.verified': ['info', 'the schema is what this build expects'],
  'schema.drift': [['info', 'warn', 'error'], 'an object is not what this build expects'],
  'schema.ahead': ['warn', 'the schema belongs to a newer build, which allows this one'],
  'schema.repaired': ['info', 'a statement that put it right'],
  'schema.guard_failed': ['error', 'the schema changed under the running process; `/ready` is 503'],
  'schema.guard_recovered': ['info', 'it is right again'],
  'schema.guard_unanswered': ['warn', 'it could not be looked at'],
} as const satisfies Record<string, Row>;

const requestsAndSockets = {
  'http.request': [['info', 'warn', 'error'], 'one line per request: method, path without query, status, duration'],
  'error.unexpected': ['error', 'a defect with its fingerprint, once a minute each'],
  'load.shed': [['info', 'warn'], 'the load level changed'],
  'ratelimit.violation': ['warn', 'the first refusal of a caller within a batch'],
  'ratelimit.not_recorded': ['warn', 'violations could not be stored'],
  'ratelimit.redis_error': ['warn', 'the shared count is away; this replica counts alone'],
  'socket.not_ready': ['warn', 'a socket could not be made ready'],
  nest: [['debug', 'warn', 'error'], 'what the framework says'],
} as const satisfies Record<string, Row>;

const dependencies = {
  'dependency.degraded': ['warn', 'a component works no more, or not well'],
  'dependency.restored': ['info', 'it works again'],
  'breaker.open': ['warn', 'a dependency is not asked any more'],
  'breaker.closed': ['info', 'it is asked again'],
  'bus.connected': ['info', 'the bus between replicas is there'],
  'bus.lost': ['warn', 'it is away; gaps are found by the heads until it is back'],
  'bus.error': ['debug', 'what its client library says'],
  'auth.host_keys_unavailable': ['warn', 'the keys of the host application could not be read; the known ones go on'],
  'auth.keys_not_reloaded': ['warn', 'the own keys could not be read anew; the known ones go on'],
  'queue.error': ['warn', 'the queue service failed'],
  'queue.no_redrive_policy': ['warn', 'its queue has no dead-letter queue'],
  'moderation.failed': ['warn', 'the moderation hook did not answer'],
  'otp.send_failed': ['error', 'a one-time code was not taken by its sender'],
  'webhook.failed': ['warn', 'an endpoint did not answer'],
  'push.receipt_lost': ['warn', 'a receipt of the push provider could not be asked for'],
} as const satisfies Record<string, Row>;

const work = {
  'job.failed': ['error', 'a job failed'],
  'job.heartbeat_failed': ['warn', 'its lease was not renewed'],
  'job.release_failed': ['warn', 'its lease was not given back; it runs out'],
  'outbox.stalled': ['error', 'events are not carried on'],
  'event.failed': [['warn', 'error'], 'a handler of an event failed; a durable one is tried again'],
  'event.batch_failed': ['warn', 'a batch failed; its events are tried one by one'],
  'work.failed': ['warn', 'delayed work failed; it is tried again'],
  'work.stalled': ['error', 'delayed work is not taken up'],
  'work.not_recorded': ['warn', 'its outcome could not be stored'],
  'antientropy.failed': ['warn', 'what was missed is told a round later'],
  'feed.read_failed': ['warn', 'a feed could not be read for its sockets'],
  'feed.follow_failed': ['warn', 'a user feed was not followed'],
  'epoch.changed': ['warn', 'the history was restored from a backup; clients drop their positions'],
  'replica.lease_failed': ['warn', 'this replica could not say that it lives'],
  'receipts.hint_failed': ['warn', 'receipts are seen late'],
  'message.files_untold': ['warn', 'the new state of a file is seen late'],
  'presence.cleanup': ['info', 'entries of lost replicas were removed'],
  'presence.cleanup_failed': ['error', 'they were not'],
  'presence.read_failed': ['warn', 'presence could not be read'],
  'presence.write_failed': ['warn', 'presence could not be stored'],
  'scheduled.failed': ['warn', 'a scheduled message could not be sent, and why'],
  'calls.timeout_failed': ['warn', 'an unanswered call could not be ended'],
  'media.processing_failed': ['warn', 'a file could not be checked; it is tried again'],
  'media.refused': ['info', 'a file was rejected or quarantined, and why'],
  'media.swept': ['info', 'files that nothing refers to were removed'],
  'media.tidy_failed': ['warn', 'the remains of an upload could not be removed'],
  'media.no_ffprobe': ['info', 'sound and film have no duration'],
  'media.not_probed': ['info', 'a file has no duration'],
  'push.undelivered': ['info', 'the provider gave a push up'],
  'webhook.disabled': ['warn', 'an endpoint said 410 or failed for days'],
  'accounts.erased': ['info', 'accounts were erased'],
  'otp.sent': ['info', 'a one-time code was sent; the development sender shows it here'],
} as const satisfies Record<string, Row>;

const operations = {
  'health.alert': [['info', 'warn', 'error'], 'an alert opened, changed its level or was resolved'],
  'sample.incomplete': ['warn', 'a sample of the metrics lacks a part'],
  'sample.not_stored': ['warn', 'a sample could not be stored'],
  'audit.recorded': ['info', 'the end of the audit log, to be kept elsewhere'],
  'audit.end_forged': ['error', 'the end of the audit log is not what was written'],
} as const satisfies Record<string, Row>;

const rows = { ...startAndStop, ...database, ...requestsAndSockets, ...dependencies, ...work, ...operations };

/** The name of an event; there is no line without one. */
export type LogEvent = keyof typeof rows;
type LevelsOf<E extends LogEvent> = (typeof rows)[E][0] extends readonly (infer L)[] ? L : (typeof rows)[E][0];

/** The events that are written at this level. */
export type EventAt<L extends Level> = { [E in LogEvent]: L extends LevelsOf<E> ? E : never }[LogEvent];

/** Every event that this process can write, by subject: the catalogue in docs/guides/log-events.md. */
export const logEvents: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  'Start and stop': startAndStop,
  'Database and schema': database,
  'Requests and sockets': requestsAndSockets,
  Dependencies: dependencies,
  Work: work,
  Operations: operations,
};
