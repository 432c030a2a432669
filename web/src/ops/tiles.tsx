import { count, groupBy, levelOf, metrics, milliseconds, shortId, words } from './format.js';
import { Sparkline } from './sparkline.js';
import { State } from './state.js';
import { type MetricName, metricNames, type Sample, type Settings, type Threshold } from './types.js';

const SHOWN = 60;
const HOUR_MS = 3_600_000;

interface TilesProps {
  /** The newest first. */
  samples: readonly Sample[];
  thresholds: Settings['thresholds'] | undefined;
}

/** The seven figures with a threshold; with several replicas, each of the one that does worst. */
export function Tiles({ samples, thresholds }: TilesProps) {
  if (samples.length === 0) return <p class="notice">The first sample comes within half a minute of the start.</p>;
  const replicas = [...groupBy(samples, ({ replicaId }) => replicaId).values()];
  return (
    <ul class="tiles" aria-label="Figures and their thresholds">
      {metricNames.map((name) => (
        <Tile key={name} name={name} replicas={replicas} threshold={thresholds?.[name]} />
      ))}
      <Traffic replicas={replicas} />
    </ul>
  );
}

interface TileProps {
  name: MetricName;
  /** Samples of each replica, the newest first. */
  replicas: readonly (readonly Sample[])[];
  threshold: Threshold | undefined;
}

function Tile({ name, replicas, threshold }: TileProps) {
  const { label, lowerIsWorse } = metrics[name];
  const courses = replicas.map((samples) => ({
    replicaId: samples[0]?.replicaId ?? '',
    values: course(name, samples),
  }));
  const latest = ({ values }: { values: number[] }) => values.at(-1) ?? 0;
  const worst = courses.toSorted((a, b) => (lowerIsWorse ? latest(a) - latest(b) : latest(b) - latest(a)))[0];
  if (!worst) return null;
  const value = latest(worst);
  const level = threshold ? levelOf(name, value, threshold) : 'unknown';
  const [low, high] = [Math.min(...worst.values), Math.max(...worst.values)];
  return (
    <li class={`card tile ${level}`}>
      <div class="tile-head">
        <h3>{label}</h3>
        <State level={level}>{words[level]}</State>
      </div>
      <p class="value">{show(name, value)}</p>
      <Sparkline values={worst.values} {...(threshold ?? { warning: Infinity, critical: Infinity })} />
      <p class="muted small">
        {low === high ? '' : `${show(name, low)} to ${show(name, high)}. `}
        {threshold && `Warning ${lowerIsWorse ? 'at or below' : 'from'} ${show(name, threshold.warning)}. `}
        {replicas.length > 1 && `Replica ${shortId(worst.replicaId)}.`}
      </p>
    </li>
  );
}

/** Requests of all replicas within an interval; there is no threshold for it. */
function Traffic({ replicas }: { replicas: TileProps['replicas'] }) {
  const shown = Math.min(SHOWN, ...replicas.map(({ length }) => length));
  const values = Array.from({ length: shown }, (_, i) =>
    replicas.reduce((sum, samples) => sum + (samples[shown - 1 - i]?.reqCount ?? 0), 0),
  );
  return (
    <li class="card tile">
      <div class="tile-head">
        <h3>Requests</h3>
      </div>
      <p class="value">{count(values.at(-1) ?? 0)}</p>
      <Sparkline values={values} warning={Infinity} critical={Infinity} />
      <p class="muted small">Per sample, {replicas.length === 1 ? 'this replica' : 'all replicas'}.</p>
    </li>
  );
}

/** The oldest first. Slow queries are counted over the hour before each sample, as their threshold is. */
function course(name: MetricName, samples: readonly Sample[]): number[] {
  const shown = samples.slice(0, SHOWN);
  if (name !== 'slowQueries') return shown.map((sample) => sample[name]).toReversed();
  const hourBefore = (at: string) => (other: Sample) => {
    const age = Date.parse(at) - Date.parse(other.at);
    return age >= 0 && age < HOUR_MS;
  };
  return shown
    .map(({ at }) => samples.filter(hourBefore(at)).reduce((sum, { slowQueries }) => sum + slowQueries, 0))
    .toReversed();
}

function show(name: MetricName, value: number): string {
  const { unit } = metrics[name];
  return unit === 'ms' ? milliseconds(value) : `${count(value)}${unit === '%' ? ' %' : ''}`;
}
