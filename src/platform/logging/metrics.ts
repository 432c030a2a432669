import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';

export const registry = new Registry();
const registers = [registry];
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
  new Counter<L>({ name, help, labelNames: [...labelNames], registers });
const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
  new Gauge<L>({ name, help, labelNames: [...labelNames], registers });
/** With exemplars: `observe` takes one object, and a trace id while there is one. A text registry shows it without them. */
function timed<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Histogram<L> {
  const options = { name, help, labelNames: [...labelNames], buckets: seconds };
  const metric = new Histogram<L>({ ...options, registers: [], enableExemplars: true });
  registry.registerMetric(metric);
  return metric;
}
const histogram = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
  new Histogram<L>({ name, help, labelNames: [...labelNames], buckets: seconds, registers });

/** Every metric of Parley. Labels are small closed sets; an id is never a label. */
export const metrics = {
  httpDuration: timed('http_server_request_duration_seconds', 'Duration of REST requests', [
    'http_request_method',
    'http_route',
    'http_response_status_code',
  ]),
  httpActive: gauge('http_server_active_requests', 'REST requests in flight'),
  unexpectedErrors: counter('error_unexpected_total', 'Defects: answers that were internal_error'),

  bootPhase: gauge('boot_phase', '1 for the phase this process is in', ['phase']),
  bootPhaseSeconds: gauge('boot_phase_seconds', 'Duration of each boot phase', ['phase']),
  bootReadySeconds: gauge('boot_ready_seconds', 'Process start to ready'),
  schemaReady: gauge('schema_ready', '1 while the live schema is what this build needs'),
  schemaAhead: gauge('schema_ahead', '1 while the database is newer than this build, and compatible'),
  schemaDrift: gauge('schema_drift_objects', 'Objects that are not as this build expects them', ['severity']),
  schemaGuardRuns: counter('schema_guard_runs_total', 'Looks at the live schema while serving', ['result']),
  lockWaitSeconds: gauge('lock_wait_seconds', 'How long this boot waited for the migration lock'),
  migrationSeconds: gauge('migration_seconds', 'Duration of each migration this boot applied', ['name']),
  migrationLockRetries: counter('migration_lock_retries_total', 'Migrations repeated because of a lock'),
  seedSeconds: gauge('seed_seconds', 'Duration of each seed this boot applied', ['name']),
  dbConnectFailures: counter('db_connect_failures_total', 'Connections of the boot that failed, by class', ['class']),
  schemaInfo: gauge('schema_info', 'Schema in force', ['fingerprint', 'head', 'epoch']),

  dbState: gauge('db_state', '1 for the state the database is in: connecting, ready, degraded or down', ['state']),
  dbConnections: gauge('db_client_connection_count', 'Connections of the application pool', ['state']),
  dbDuration: timed('db_client_operation_duration_seconds', 'Duration of database statements'),
  logLinesDropped: counter('log_lines_dropped_total', 'Lines lost because nobody read standard output'),
  dbErrors: counter('db_errors_total', 'Database errors by class', ['class']),
  dbSlowQueries: counter('db_slow_queries_total', 'Statements above one second'),

  wsConnections: gauge('ws_connections', 'Open sockets'),
  wsConnects: counter('ws_connects_total', 'Handshakes', ['result']),
  wsDisconnects: counter('ws_disconnects_total', 'Closed sockets', ['reason']),
  wsEventDuration: timed('ws_event_duration_seconds', 'Duration of socket commands', ['event', 'result']),

  wsDropped: counter('ws_dropped_total', 'Live events not sent to slow sockets, counted per episode', ['outcome']),
  wsSendBuffer: gauge('ws_send_buffer_bytes', 'Written to sockets and not yet taken by the network'),
  presenceOnline: gauge('presence_online', 'Users with an open socket on this replica'),
  antiEntropySeconds: histogram('anti_entropy_seconds', 'Duration of a whole comparison of what was told'),
  antiEntropyPasses: counter('antientropy_checks_total', 'Comparisons of what was told with the database', [
    'part',
    'result',
  ]),
  busMessages: counter('bus_messages_total', 'Messages between replicas', ['direction']),
  busDropped: counter('bus_dropped_total', 'Messages between replicas that were not sent'),

  messagesAccepted: counter('msg_accepted_total', 'Messages stored'),
  messagesDuplicate: counter('msg_duplicate_total', 'Sends answered with the stored original'),
  messageAckSeconds: histogram('msg_send_ack_seconds', 'A send that is checked to its answer, over either transport'),
  fanOutSeconds: histogram('msg_fanout_seconds', 'One change to the sockets of its conversation on this replica'),
  messagesRepaired: counter('msg_repaired_total', 'Changes that reached a room by repair', ['source']),

  jobRuns: counter('job_runs_total', 'Runs of background jobs', ['job', 'result']),
  jobLastSuccess: gauge('job_last_success_timestamp', 'Unix seconds of the last good run', ['job']),
  deadLetters: counter('dead_letters_total', 'Work that was given up', ['queue']),
  outboxDepth: gauge('outbox_depth', 'Rows waiting in the outbox'),
  outboxOldest: gauge('outbox_oldest_seconds', 'Age of the oldest outbox row'),
  queueDepth: gauge('queue_depth', 'Work that is due and waits for a worker', ['queue']),
  queueOldest: gauge('queue_oldest_seconds', 'How long the first of that work has been due', ['queue']),
  queueCallSeconds: histogram('messaging_client_operation_duration_seconds', 'Calls to the queue', [
    'messaging_system',
    'messaging_operation_name',
    'result',
  ]),
  backupLastSuccess: gauge('backup_last_success_timestamp', 'Unix seconds of the last backup; 0 while none is known'),

  rateLimited: counter('ratelimit_violations_total', 'Refused by a rate limit', ['rule']),
  breakerState: gauge('breaker_state', '0 asked, 1 on trial, 2 not asked', ['dependency']),
  retryBudgetExhausted: counter('retry_budget_exhausted_total', 'Repetitions that were not affordable', ['dependency']),
  shed: counter('shed_total', 'Refused because this replica is overloaded', ['class', 'level']),
  loadLevel: gauge('load_level', '0 fine, 1 and 2 shedding, 3 not ready'),
  errorFingerprints: gauge('error_fingerprints', 'Kinds of defects seen since start'),
  degraded: gauge('degraded', '1 while a component is degraded', ['component']),
};
