import { useEffect } from 'preact/hooks';
import { Icon } from '../ui/icon.js';
import { announce } from '../ui/live-region.js';
import { metrics, timeOf } from './format.js';
import type { Resource } from './resource.js';
import type { Alert, Health, Level, Live, MetricName, Page } from './types.js';

interface BannerProps {
  health: Resource<Health>;
  live: Resource<Live>;
  alerts: Resource<Page<Alert>>;
}

interface Verdict {
  level: Level;
  title: string;
  reasons: string[];
}

/** One answer to "is it well?", and why not. */
export function Banner({ health, live, alerts }: BannerProps) {
  const { level, title, reasons } = judge(health, live, alerts.data?.items ?? []);
  useEffect(() => announce(`Status: ${title}`), [title]);
  return (
    <section id="status" class={`banner ${level}`} aria-labelledby="status-title">
      <Icon name={level === 'ok' ? 'check' : level === 'unknown' ? 'clock' : 'warning'} size={28} />
      <div>
        <h2 id="status-title">{title}</h2>
        {reasons.length > 0 && (
          <ul>
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        )}
      </div>
      <p class="fresh">
        {health.error === undefined && health.at !== undefined && <span class="live-dot" aria-hidden="true" />}
        {health.at === undefined ? '' : `${health.error === undefined ? 'Live' : 'Last figures'}, ${timeOf(health.at)}`}
      </p>
    </section>
  );
}

function judge({ data, error }: Resource<Health>, live: Resource<Live>, alerts: readonly Alert[]): Verdict {
  if (live.error?.status === 0)
    return { level: 'bad', title: 'Parley does not answer', reasons: ['Figures below are the last ones seen.'] };
  if (live.data?.database === 'down' && (error !== undefined || data?.status === 'error'))
    return {
      level: 'bad',
      title: 'The database is down',
      reasons: ['Figures below are the last ones known.', ...impaired(data)],
    };
  if (!data) {
    const refused = error?.status === 401 || error?.status === 403;
    const title = refused ? 'This sign-in may not see health' : error ? 'Not known' : 'Looking';
    return { level: 'unknown', title, reasons: error && !refused ? [error.problem.detail] : [] };
  }
  const reasons = [...impaired(data), ...alerts.map(sayAlert)];
  if (data.phase === 'draining') return { level: 'warn', title: 'This replica is stopping', reasons };
  if (data.status === 'error') return { level: 'bad', title: 'Not ready for requests', reasons };
  const critical = alerts.some(({ level }) => level === 'critical');
  if (critical) return { level: 'bad', title: 'A limit is far exceeded', reasons };
  if (data.status === 'degraded') return { level: 'warn', title: 'Working, with something missing', reasons };
  if (alerts.length > 0) return { level: 'warn', title: 'Working, near its limits', reasons };
  return { level: 'ok', title: 'All is well', reasons };
}

const impaired = (health: Health | undefined): string[] =>
  Object.entries(health?.details ?? {})
    .filter(([, { status }]) => status !== 'up')
    .map(([name, { status, class: kind }]) => `${name} is ${status}${typeof kind === 'string' ? `: ${kind}` : ''}`);

function sayAlert({ metric, level, value, threshold }: Alert): string {
  const { label, unit } = metrics[metric as MetricName] ?? { label: metric, unit: '' };
  return `${label}: ${Math.round(value * 10) / 10} ${unit} (${level} from ${threshold} ${unit})`.replaceAll(' )', ')');
}
