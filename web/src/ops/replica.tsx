import { Card, Loaded, Table } from './card.js';
import { bytes, count, milliseconds, momentOf, seconds, shortId, timeOf } from './format.js';
import type { Resource } from './resource.js';
import { State } from './state.js';
import type { Health, Level } from './types.js';

const levels: Record<string, Level> = {
  up: 'ok',
  degraded: 'warn',
  down: 'bad',
  closed: 'ok',
  half_open: 'warn',
  open: 'bad',
};
const breakerWords = { closed: 'asked', half_open: 'on trial', open: 'not asked' };

/** What the replica depends on, and whether it still asks. */
export function Dependencies({ health }: { health: Resource<Health> }) {
  return (
    <Card id="dependencies" title="Dependencies">
      <Loaded of={health}>
        {({ details, breakers }) => (
          <ul class="lines">
            {Object.entries(details).map(([name, { status, ...facts }]) => (
              <li key={name}>
                <span>
                  {name} <span class="muted small">{sayFacts(facts)}</span>
                </span>
                <State level={levels[status] ?? 'unknown'}>{status}</State>
              </li>
            ))}
            {Object.entries(breakers ?? {}).map(([name, state]) => (
              <li key={`breaker ${name}`}>
                <span>
                  {name} <span class="muted small">breaker</span>
                </span>
                <State level={levels[state] ?? 'unknown'}>{breakerWords[state]}</State>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

const sayFacts = (facts: Record<string, unknown>): string =>
  Object.entries(facts)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => sayFact(name, value as string | number))
    .slice(0, 5)
    .join(', ');

/** `freeBytes: 80292573184` as `free 80.3 GB`. */
function sayFact(name: string, value: string | number): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (typeof value === 'string') return `${words} ${value}`;
  if (name.endsWith('Bytes')) return `${words.replace(' bytes', '')} ${bytes(value)}`;
  if (name.endsWith('Seconds')) return `${words.replace(' seconds', '')} ${seconds(Math.round(value))}`;
  return name === 'responseTime' ? milliseconds(value) : `${words} ${count(value)}`;
}

/** How long each phase of the start took. */
export function Boot({ health }: { health: Resource<Health> }) {
  return (
    <Card id="boot" title="Boot">
      <Loaded of={health}>
        {({ boot, uptime, version, schema }) => {
          const total = boot.reduce((sum, { ms }) => sum + ms, 0);
          let before = 0;
          return (
            <>
              <p class="muted">
                Ready after {milliseconds(total)}, up for {seconds(uptime)}. Version {version}
                {schema.head !== null && `, schema ${schema.head.slice(0, 14)}`}.
              </p>
              <ol class="timeline">
                {boot.map(({ phase, ms }) => {
                  const start = before;
                  before += ms;
                  return (
                    <li key={phase}>
                      <span class="phase">{phase.replaceAll('_', ' ')}</span>
                      <span class="track" aria-hidden="true">
                        <span
                          class="bar"
                          style={{ left: `${(start / total) * 100}%`, width: `${Math.max(0.6, (ms / total) * 100)}%` }}
                        />
                      </span>
                      <span class="figure">{milliseconds(ms)}</span>
                    </li>
                  );
                })}
              </ol>
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

/** Work without a caller, as it stands on this replica. */
export function Jobs({ health }: { health: Resource<Health> }) {
  return (
    <Card id="jobs" title="Jobs">
      <Loaded of={health}>
        {({ jobs }) => (
          <Table
            label="Jobs"
            rows={jobs.here}
            keyOf={({ name }) => name}
            empty="This replica runs no jobs."
            columns={[
              { head: 'Job', cell: ({ name }) => name },
              {
                head: 'Last run',
                cell: ({ lastRunAt, lastResult, running }) =>
                  running ? (
                    'runs now'
                  ) : lastResult === null || lastRunAt === null ? (
                    <span class="muted">not here yet</span>
                  ) : (
                    <State level={lastResult === 'ok' ? 'ok' : 'bad'}>{timeOf(lastRunAt)}</State>
                  ),
              },
              { head: 'Next', figure: true, cell: ({ nextRunAt }) => (nextRunAt === null ? '' : timeOf(nextRunAt)) },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** Kinds of defects, the latest first. */
export function Errors({ health }: { health: Resource<Health> }) {
  return (
    <Card id="errors" title="Error fingerprints">
      <Loaded of={health}>
        {({ errors }) => (
          <Table
            label="Error fingerprints"
            rows={errors}
            keyOf={({ fingerprint }) => fingerprint}
            empty="No defect since this replica started."
            columns={[
              { head: 'Error', cell: ({ name }) => name },
              {
                head: 'Where',
                minor: true,
                cell: ({ where }) => <code class="clip">{where.replace(/^at /, '')}</code>,
              },
              { head: 'Times', figure: true, cell: (error) => count(error.count) },
              { head: 'Last', figure: true, cell: ({ lastSeenAt }) => timeOf(lastSeenAt) },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** Every process that lives. */
export function Replicas({ health }: { health: Resource<Health> }) {
  return (
    <Card id="replicas" title="Replicas">
      <Loaded of={health}>
        {({ replicas, replicaId }) => (
          <Table
            label="Replicas"
            rows={replicas ?? []}
            keyOf={(replica) => replica.replicaId}
            empty="Not known while the database is down."
            columns={[
              {
                head: 'Replica',
                cell: (replica) =>
                  `${shortId(replica.replicaId)}${replica.replicaId === replicaId ? ' (this one)' : ''}`,
              },
              { head: 'Host', minor: true, cell: ({ host }) => <span class="clip">{host}</span> },
              { head: 'Version', cell: ({ version }) => version },
              { head: 'Since', figure: true, cell: ({ startedAt }) => momentOf(startedAt) },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
