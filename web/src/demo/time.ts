const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const DAY_MS = 86_400_000;

const midnight = (time: Date): number => new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();

export const timeOf = (iso: string): string => clock.format(new Date(iso));
export const clockOf = (ms: number): string => new Date(ms).toLocaleTimeString();

/** Today, Yesterday, the weekday within a week, else the date. */
export function dayOf(iso: string): string {
  const time = new Date(iso);
  const days = Math.round((midnight(new Date()) - midnight(time)) / DAY_MS);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? weekday.format(time) : date.format(time);
}

/** The shortest that still says when: a time today, else a day. */
export const shortTime = (iso: string): string => {
  const day = dayOf(iso);
  return day === 'Today' ? timeOf(iso) : day === 'Yesterday' ? day : day.slice(0, 3);
};
