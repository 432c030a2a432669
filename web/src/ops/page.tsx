import { IconButton } from '../ui/button.js';
import { ThemeToggle } from '../ui/theme-toggle.js';
import { Banner } from './banner.js';
import { DatabaseCard } from './database.js';
import { Audit, Violations } from './lists.js';
import { LoadReports } from './load-reports.js';
import { Queues } from './queues.js';
import { Boot, Dependencies, Errors, Jobs, Replicas } from './replica.js';
import { useResource } from './resource.js';
import { type Operator, ParleyError } from './session.js';
import { readSettings, SettingsCard } from './settings.js';
import { SocketCard } from './sockets.js';
import { Tiles } from './tiles.js';
import type { Alert, Health, Live, Page as List, Sample } from './types.js';
import { Uptime } from './uptime.js';

/** A replica that is not ready says so with its findings, which are wanted here. */
async function readHealth(operator: Operator): Promise<Health> {
  try {
    return await operator.get<Health>('/health/detailed');
  } catch (error) {
    // The client puts the HTTP status in the place of the page's own.
    if (error instanceof ParleyError && 'recentSamples' in error.problem)
      return { ...(error.problem as unknown as Health), status: 'error' };
    throw error;
  }
}
const readLive = (operator: Operator) => operator.get<Live>('/health');
const readAlerts = (operator: Operator) => operator.get<List<Alert>>('/system-health/alerts?state=open&limit=20');
const readSamples = (operator: Operator) => operator.get<List<Sample>>('/system-health/samples?limit=100');

const sections = [
  ['status', 'Status'],
  ['figures', 'Figures'],
  ['days', '90 days'],
  ['dependencies', 'Dependencies'],
  ['sockets', 'Sockets'],
  ['queues', 'Queues'],
  ['database', 'Database'],
  ['errors', 'Errors'],
  ['violations', 'Limits'],
  ['load', 'Load tests'],
  ['audit', 'Audit'],
  ['settings', 'Thresholds'],
] as const;

export function Page({ onSignOut }: { onSignOut: () => void }) {
  const health = useResource(readHealth, 5000);
  const live = useResource(readLive, 5000);
  const alerts = useResource(readAlerts, 15_000);
  const samples = useResource(readSamples, 15_000);
  const settings = useResource(readSettings, 60_000);
  // Without a database the replica's memory is what there is.
  const known = samples.error === undefined ? samples.data?.items : undefined;
  const shown = known ?? health.data?.recentSamples.toReversed() ?? samples.data?.items ?? [];
  return (
    <>
      <header class="top">
        <h1>
          Parley <span class="muted">operations</span>
        </h1>
        <nav aria-label="Sections">
          <ul>
            {sections.map(([id, title]) => (
              <li key={id}>
                <a href={`#${id}`}>{title}</a>
              </li>
            ))}
          </ul>
        </nav>
        <ThemeToggle />
        <IconButton icon="power" label="Sign out" onClick={onSignOut} />
      </header>
      <main class="page">
        <Banner health={health} live={live} alerts={alerts} />
        <section id="figures" class="wide" aria-labelledby="figures-title">
          <h2 id="figures-title" class="hidden-visually">
            Figures
          </h2>
          <Tiles samples={shown} thresholds={settings.data?.thresholds} />
        </section>
        <Uptime />
        <div class="column">
          <Dependencies health={health} />
          <SocketCard />
          <Queues />
          <Errors health={health} />
        </div>
        <div class="column">
          <Boot health={health} />
          <Replicas health={health} />
          <Jobs health={health} />
        </div>
        <DatabaseCard />
        <div class="column">
          <LoadReports />
        </div>
        <div class="column">
          <Violations />
          <Audit />
        </div>
        <SettingsCard settings={settings} />
      </main>
    </>
  );
}
