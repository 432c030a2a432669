import { Card, Loaded } from './card.js';
import { count, groupBy } from './format.js';
import { type Resource, useResource } from './resource.js';
import type { Operator } from './session.js';
import type { Day, Level, Page } from './types.js';

const DAYS = 90;
const DAY_MS = 86_400_000;
const ERRORS_WARN = 1;
const ERRORS_BAD = 5;

const read = (operator: Operator) => {
  const from = new Date(Date.now() - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  return operator.get<Page<Day>>(`/system-health/daily?limit=100&from=${from}`);
};

interface Bar {
  day: string;
  level: Level;
  text: string;
}

export function Uptime() {
  const days: Resource<Page<Day>> = useResource(read, 300_000);
  return (
    <Card id="days" title="The last 90 days" wide>
      <Loaded of={days}>
        {({ items }) => {
          const bars = barsOf(items);
          const known = bars.filter(({ level }) => level !== 'unknown');
          return (
            <>
              <div class="days" aria-hidden="true">
                {bars.map(({ day, level, text }) => (
                  <span key={day} class={level} title={text} />
                ))}
              </div>
              <p class="muted small">
                {known.length} {known.length === 1 ? 'day' : 'days'} measured,{' '}
                {known.filter(({ level }) => level === 'ok').length} of them with less than 1 % of errors.{' '}
                {bars.at(-1)?.text}.
              </p>
            </>
          );
        }}
      </Loaded>
    </Card>
  );
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
