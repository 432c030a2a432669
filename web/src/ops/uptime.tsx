import { Card, Loaded } from './card.js';
import { count, groupBy } from './format.js';
import { useResource } from './resource.js';
import type { Operator } from './session.js';
import type { Availability, Day, Level, Page } from './types.js';

const DAYS = 90;
const MOST_PAGES = 20;
const DAY_MS = 86_400_000;
const ERRORS_WARN = 1;
const ERRORS_BAD = 5;

interface Measured {
  days: Day[];
  availability: Availability;
}

async function read(operator: Operator): Promise<Measured> {
  const [days, availability] = await Promise.all([
    readDays(operator),
    operator.get<Availability>('/system-health/availability'),
  ]);
  return { days, availability };
}

/** One row per day and replica, so it may take some pages. */
async function readDays(operator: Operator): Promise<Day[]> {
  const from = new Date(Date.now() - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  const days: Day[] = [];
  let cursor = '';
  for (let page = 0; page < MOST_PAGES; page++) {
    const { items, next } = await operator.get<Page<Day>>(`/system-health/daily?limit=100&from=${from}${cursor}`);
    days.push(...items);
    if (next === null) break;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
  return days;
}

interface Bar {
  day: string;
  level: Level;
  text: string;
}

export function Uptime() {
  const measured = useResource(read, 300_000);
  return (
    <Card id="days" title="The last 90 days" wide>
      <Loaded of={measured}>
        {({ days, availability }) => {
          const bars = barsOf(days);
          return (
            <>
              <div class="days" aria-hidden="true">
                {bars.map(({ day, level, text }) => (
                  <span key={day} class={level} title={text} />
                ))}
              </div>
              <p class="small">{availabilityOf(availability)}</p>
              <p class="muted small">{sumUp(bars)}</p>
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

/** Of requests, not of time: what never arrived is known to nobody here. */
function availabilityOf({ target, windows }: Availability): string {
  const known = windows.filter(({ availability }) => availability !== null);
  if (known.length === 0) return '';
  const figures = known.map(({ days, availability }) => `${availability} % over ${days} days`);
  return `Requests answered without a fault of the server: ${figures.join(', ')} (objective ${target} %).`;
}

function sumUp(bars: readonly Bar[]): string {
  const known = bars.filter(({ level }) => level !== 'unknown');
  if (known.length === 0) return 'Nothing is measured yet. Today appears within the hour.';
  const good = known.filter(({ level }) => level === 'ok').length;
  const days = known.length === 1 ? '1 day measured' : `${known.length} days measured`;
  return `${days}, ${good} with less than ${ERRORS_WARN} % of errors. ${bars.at(-1)?.text}.`;
}

/** One bar per day, the oldest first; a day without a sample is unknown. */
function barsOf(days: readonly Day[]): Bar[] {
  const byDay = groupBy(days, ({ day }) => day);
  return Array.from({ length: DAYS }, (_, i) => {
    const day = new Date(Date.now() - (DAYS - 1 - i) * DAY_MS).toISOString().slice(0, 10);
    const rows = byDay.get(day);
    if (!rows) return { day, level: 'unknown', text: `${day}: nothing measured` };
    const sum = (key: 'reqCountSum' | 'errCountSum') => rows.reduce((total, row) => total + row[key], 0);
    const requests = sum('reqCountSum');
    const rate = requests === 0 ? 0 : (sum('errCountSum') / requests) * 100;
    const level = rate >= ERRORS_BAD ? 'bad' : rate >= ERRORS_WARN ? 'warn' : 'ok';
    return { day, level, text: `${day}: ${count(requests)} requests, ${count(rate)} % of errors` };
  });
}
