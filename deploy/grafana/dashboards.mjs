#!/usr/bin/env node
// The Grafana dashboards, said once: `node deploy/grafana/dashboards.mjs` writes dashboards/*.json, which Grafana imports
// or provisions. A panel is [title, unit, {legend: PromQL}]; every query is over the replicas chosen at the top.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const rate = (metric, labels = '') =>
  `rate(${metric}{instance=~"$instance"${labels && `,${labels}`}}[$__rate_interval])`;
const value = (metric, labels = '') => `${metric}{instance=~"$instance"${labels && `,${labels}`}}`;
const sum = (expression, by) => `sum${by ? ` by (${by})` : ''} (${expression})`;
const quantile = (q, metric, by = '', labels = '') =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (${rate(`${metric}_bucket`, labels)}))`;
const percentiles = (metric, labels) => ({
  p50: quantile(0.5, metric, '', labels),
  p95: quantile(0.95, metric, '', labels),
  p99: quantile(0.99, metric, '', labels),
});

const HTTP = 'http_server_request_duration_seconds';
const requests = sum(rate(`${HTTP}_count`));
const errors = sum(rate(`${HTTP}_count`, 'http_response_status_code=~"5.."'));

export const dashboards = {
  overview: {
    title: 'Parley: overview',
    panels: [
      ['Replicas ready for traffic', 'short', { ready: `count(${value('schema_ready')} == 1)` }],
      ['Degraded components', 'short', { '{{component}}': `max by (component) (${value('degraded')})` }],
      ['Load level (3 is not ready)', 'short', { '{{instance}}': value('load_level') }],
      ['Requests', 'reqps', { all: requests, errors }],
      ['Errors', 'percentunit', { share: `${errors} / ${requests}` }],
      ['Duration of requests', 's', percentiles(HTTP)],
      ['Messages stored', 'ops', { messages: sum(rate('msg_accepted_total')) }],
      ['Open sockets', 'short', { '{{instance}}': value('ws_connections') }],
      ['CPU', 'percentunit', { '{{instance}}': rate('process_cpu_seconds_total') }],
      ['Resident memory', 'bytes', { '{{instance}}': value('process_resident_memory_bytes') }],
      ['Event loop delay, p99', 's', { '{{instance}}': value('nodejs_eventloop_lag_p99_seconds') }],
      [
        'Defects',
        'short',
        { '{{instance}}': `increase(${value('error_unexpected_total')}[1h])`, kinds: sum(value('error_fingerprints')) },
      ],
    ],
  },
  messaging: {
    title: 'Parley: messaging',
    panels: [
      ['Receipt of a send to its ack', 's', percentiles('msg_send_ack_seconds')],
      [
        'Messages',
        'ops',
        { stored: sum(rate('msg_accepted_total')), 'answered with the original': sum(rate('msg_duplicate_total')) },
      ],
      ['Changes that reached a room by repair', 'ops', { '{{source}}': sum(rate('msg_repaired_total'), 'source') }],
      [
        'Comparisons with the database',
        'ops',
        { '{{part}} {{result}}': sum(rate('antientropy_checks_total'), 'part, result') },
      ],
      [
        'Between replicas',
        'ops',
        { '{{direction}}': sum(rate('bus_messages_total'), 'direction'), dropped: sum(rate('bus_dropped_total')) },
      ],
      [
        'Slowest commands, p95',
        's',
        { '{{event}}': `topk(8, ${quantile(0.95, 'ws_event_duration_seconds', 'event')})` },
      ],
    ],
  },
  sockets: {
    title: 'Parley: sockets',
    panels: [
      ['Open sockets', 'short', { '{{instance}}': value('ws_connections') }],
      ['Handshakes', 'ops', { '{{result}}': sum(rate('ws_connects_total'), 'result') }],
      ['Closed', 'ops', { '{{reason}}': sum(rate('ws_disconnects_total'), 'reason') }],
      ['Commands', 'ops', { '{{event}}': `topk(8, ${sum(rate('ws_event_duration_seconds_count'), 'event')})` }],
      [
        'Refused commands',
        'ops',
        { '{{result}}': sum(rate('ws_event_duration_seconds_count', 'result!="ok"'), 'result') },
      ],
      ['Not yet taken by the network', 'bytes', { '{{instance}}': value('ws_send_buffer_bytes') }],
      ['Slow sockets', 'ops', { '{{outcome}}': sum(rate('ws_dropped_total'), 'outcome') }],
    ],
  },
  database: {
    title: 'Parley: database',
    panels: [
      ['Connections of the pool', 'short', { '{{state}}': sum(value('db_client_connection_count'), 'state') }],
      ['Duration of statements', 's', percentiles('db_client_operation_duration_seconds')],
      ['Statements', 'ops', { all: sum(rate('db_client_operation_duration_seconds_count')) }],
      ['Errors', 'ops', { '{{class}}': sum(rate('db_errors_total'), 'class') }],
      ['Statements above one second', 'ops', { all: sum(rate('db_slow_queries_total')) }],
      ['Schema', 'short', { ready: `min(${value('schema_ready')})`, ahead: `max(${value('schema_ahead')})` }],
      ['Last boot: phases', 's', { '{{phase}}': `max by (phase) (${value('boot_phase_seconds')})` }],
      [
        'Last boot: until ready, and waiting for the lock',
        's',
        { ready: `max(${value('boot_ready_seconds')})`, lock: `max(${value('lock_wait_seconds')})` },
      ],
    ],
  },
  jobs: {
    title: 'Parley: jobs and outbox',
    panels: [
      ['Work waiting for a worker', 'short', { '{{queue}}': `max by (queue) (${value('queue_depth')})` }],
      ['How long the first has waited', 's', { '{{queue}}': `max by (queue) (${value('queue_oldest_seconds')})` }],
      ['Rows waiting in the outbox', 'short', { rows: `max(${value('outbox_depth')})` }],
      ['Age of the oldest row', 's', { age: `max(${value('outbox_oldest_seconds')})` }],
      ['Runs', 'ops', { '{{job}} {{result}}': sum(rate('job_runs_total'), 'job, result') }],
      ['Since the last good run', 's', { '{{job}}': `time() - max by (job) (${value('job_last_success_timestamp')})` }],
      ['Work given up', 'ops', { '{{queue}}': sum(rate('dead_letters_total'), 'queue') }],
    ],
  },
  limits: {
    title: 'Parley: limits',
    panels: [
      ['Refused by a rate limit', 'ops', { '{{rule}}': sum(rate('ratelimit_violations_total'), 'rule') }],
      ['Refused under overload', 'ops', { '{{class}}': sum(rate('shed_total'), 'class') }],
      ['Load level', 'short', { '{{instance}}': value('load_level') }],
      ['Breakers (2 is open)', 'short', { '{{dependency}}': `max by (dependency) (${value('breaker_state')})` }],
      [
        'Repetitions that were not affordable',
        'ops',
        { '{{dependency}}': sum(rate('retry_budget_exhausted_total'), 'dependency') },
      ],
      ['Requests in flight', 'short', { '{{instance}}': value('http_server_active_requests') }],
    ],
  },
};

const datasource = { type: 'prometheus', uid: '${datasource}' };
const WIDTH = 8;
const HEIGHT = 8;

const panel = ([title, unit, queries], index) => ({
  id: index + 1,
  title,
  type: 'timeseries',
  datasource,
  gridPos: { x: (index % 3) * WIDTH, y: Math.floor(index / 3) * HEIGHT, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 8, showPoints: 'never' } }, overrides: [] },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  targets: Object.entries(queries).map(([legendFormat, expr], target) => ({
    refId: String.fromCodePoint(65 + target),
    datasource,
    expr,
    legendFormat,
  })),
});

/** One dashboard as Grafana's JSON. */
export const render = (name) => ({
  uid: `parley-${name}`,
  title: dashboards[name].title,
  tags: ['parley'],
  schemaVersion: 39,
  editable: true,
  refresh: '30s',
  time: { from: 'now-3h', to: 'now' },
  timezone: 'browser',
  templating: {
    list: [
      { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
      {
        name: 'instance',
        label: 'Replica',
        type: 'query',
        datasource,
        query: 'label_values(schema_ready, instance)',
        refresh: 2,
        includeAll: true,
        multi: true,
        current: { text: 'All', value: '$__all' },
      },
    ],
  },
  panels: dashboards[name].panels.map(panel),
});

export const file = (name) => join(import.meta.dirname, 'dashboards', `${name}.json`);
export const text = (name) => `${JSON.stringify(render(name), null, 2)}\n`;

if (import.meta.main) for (const name of Object.keys(dashboards)) writeFileSync(file(name), text(name));
