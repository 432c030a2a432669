import { execFileSync } from 'node:child_process';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { metrics, registry } from '../../src/platform/logging/metrics.js';
import { filesIn, json, root, text, yaml } from './support/files.js';
import { selectorsOf } from './support/promql.js';

interface Metric {
  name: string;
  type: string;
  labelNames?: string[];
}
interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: { severity: string };
  annotations?: { summary: string; runbook: string };
}
interface Dashboard {
  uid: string;
  title: string;
  panels: { title: string; targets: { expr: string }[] }[];
}
const dashboards = filesIn('deploy/grafana/dashboards', '.json').map(
  (file) => [file, json(file) as Dashboard] as const,
);
const rules = (yaml('deploy/grafana/alerts.yaml') as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const alerts = rules.filter(({ alert }) => alert !== undefined);

/** Every series Parley can have, with its labels. */
const known = new Map<string, Set<string>>();
beforeAll(() => {
  const defaults = new Registry();
  collectDefaultMetrics({ register: defaults });
  for (const source of [registry, defaults]) {
    for (const { name, type, labelNames = [] } of source.getMetricsAsArray() as unknown as Metric[]) {
      // `instance` and `job` are of the scrape.
      const labels = [...labelNames, 'instance'];
      if (type !== 'histogram') known.set(name, new Set(labels));
      else for (const suffix of ['_bucket', '_sum', '_count']) known.set(name + suffix, new Set([...labels, 'le']));
    }
  }
  for (const { record } of rules) if (record) known.set(record, new Set());
});

const faultsOf = (expression: string): string[] =>
  selectorsOf(expression).flatMap(({ name, labels }) => {
    const allowed = known.get(name);
    if (!allowed) return [`there is no metric ${name}`];
    return labels.filter((label) => !allowed.has(label)).map((label) => `${name} has no label ${label}`);
  });

it('finds a metric and a label that do not exist', () => {
  expect(faultsOf('sum by (event) (rate(ws_event_duration_seconds_count{result="ok"}[5m]))')).toEqual([]);
  expect(faultsOf('rate(msg_acepted_total[5m]) > 1 and ws_connections{user="x"} > 0')).toEqual([
    'there is no metric msg_acepted_total',
    'ws_connections has no label user',
  ]);
  expect(faultsOf('sum by (room) (ws_connections)')).toEqual(['ws_connections has no label room']);
});

it.each(dashboards)('%s asks for metrics and labels that exist', (_, { panels }) => {
  expect(panels.length).toBeGreaterThan(3);
  for (const { targets } of panels) {
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr } of targets) expect([expr, faultsOf(expr)]).toEqual([expr, []]);
  }
});

it('every metric of the catalogue is measured somewhere', () => {
  const catalogue = 'src/platform/logging/metrics.ts';
  const code = filesIn('src', '.ts')
    .filter((file) => file !== catalogue)
    .map(text)
    .join('\n');
  expect(Object.keys(metrics).filter((name) => !code.includes(`metrics.${name}.`))).toEqual([]);
});

it('the dashboards are what dashboards.mjs says', () => {
  const written = execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      'const d = await import(process.argv[1]); console.log(JSON.stringify(Object.fromEntries(Object.keys(d.dashboards).map((name) => [name, d.text(name)]))))',
      `${root}/deploy/grafana/dashboards.mjs`,
    ],
    { encoding: 'utf8' },
  );
  const said = JSON.parse(written) as Record<string, string>;
  expect(
    Object.keys(said)
      .map((name) => `deploy/grafana/dashboards/${name}.json`)
      .toSorted(),
  ).toEqual(dashboards.map(([file]) => file));
  for (const [name, content] of Object.entries(said))
    expect(text(`deploy/grafana/dashboards/${name}.json`)).toBe(content);
});

it('rules ask for metrics and labels that exist', () => {
  expect(alerts.length).toBeGreaterThan(15);
  for (const { expr } of rules) expect([expr, faultsOf(expr)]).toEqual([expr, []]);
});

it('every alert has a severity, a summary and a page that says what to do', () => {
  const headings = new Set(
    [...text('docs/guides/alerts.md').matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase()),
  );
  for (const { alert, labels, annotations } of alerts) {
    expect(['page', 'ticket']).toContain(labels?.severity);
    expect(annotations?.summary).toBeTruthy();
    const [page, anchor = ''] = annotations?.runbook.split('#') ?? [];
    expect(page).toBe('docs/guides/alerts.md');
    expect([alert, headings.has(anchor)]).toEqual([alert, true]);
  }
  // And no page without its alert.
  const used = new Set(alerts.map(({ annotations }) => annotations?.runbook.split('#')[1]));
  expect([...headings].filter((heading) => !used.has(heading))).toEqual([]);
});

it('promtool accepts the rules, and their unit tests pass', () => {
  const promtool = (...args: string[]) => {
    try {
      return execFileSync('promtool', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new Error('promtool is missing: apt-get install --no-install-recommends prometheus (.ci/run does it)', {
        cause: error,
      });
    }
  };
  expect(promtool('check', 'rules', 'deploy/grafana/alerts.yaml')).toContain('SUCCESS');
  expect(promtool('test', 'rules', 'deploy/grafana/alerts.test.yaml')).toContain('SUCCESS');
});
