import {
  DEVICE_RATE,
  deviceSuppression,
  MAX_AGE_MS,
  type MessageFacts,
  preview,
  type RecipientFacts,
  resolveLevel,
  suppression,
  timeIn,
} from './notifications.rules.js';

const at = new Date('2030-06-15T20:30:00Z');
const message: MessageFacts = { seq: 7, deleted: false, quiet: false, createdAt: at };
const user: RecipientFacts = {
  blocked: false,
  member: true,
  readSeq: 6,
  foregroundSeq: 6,
  mentioned: false,
  level: 'all',
  mutedUntil: null,
  quietHours: { enabled: false, start: '22:00', end: '07:00', allowMentions: true },
  timeZone: 'UTC',
};

it('rings when nothing speaks against it', () => {
  expect(suppression(message, user, at)).toBeUndefined();
});

// Each hindrance in the order of the protocol. A user with all from one on is told the first of them.
const later = new Date(at.getTime() + 1);
const hindrances: [reason: string, message: Partial<MessageFacts>, user: Partial<RecipientFacts>][] = [
  ['blocked', {}, { blocked: true }],
  ['not_member', {}, { member: false }],
  ['deleted', { deleted: true }, {}],
  ['too_old', { createdAt: new Date(at.getTime() - MAX_AGE_MS - 1) }, {}],
  ['read_first', {}, { readSeq: 7 }],
  ['delivered_foreground', {}, { foregroundSeq: 7 }],
  ['level', {}, { level: 'none' }],
  ['muted', {}, { mutedUntil: later }],
  ['quiet_hours', {}, { quietHours: { enabled: true, start: '20:00', end: '21:00', allowMentions: true } }],
];
it.each(hindrances.map(([reason], i) => [reason, i] as const))('%s comes before what follows it', (reason, i) => {
  const [ofMessage, ofUser] = [hindrances.slice(i).map(([, m]) => m), hindrances.slice(i).map(([, , u]) => u)];
  expect(suppression(Object.assign({}, message, ...ofMessage), Object.assign({}, user, ...ofUser), at)).toBe(reason);
  expect(suppression({ ...message, ...hindrances[i]?.[1] }, { ...user, ...hindrances[i]?.[2] }, at)).toBe(reason);
});

it('lets mentions through the level, and through quiet hours where the user allows it', () => {
  expect(suppression(message, { ...user, level: 'mentions' }, at)).toBe('level');
  expect(suppression(message, { ...user, level: 'mentions', mentioned: true }, at)).toBeUndefined();
  const quietHours = { enabled: true, start: '20:00', end: '21:00', allowMentions: true };
  expect(suppression(message, { ...user, quietHours, mentioned: true }, at)).toBeUndefined();
  const strict = { ...quietHours, allowMentions: false };
  expect(suppression(message, { ...user, quietHours: strict, mentioned: true }, at)).toBe('quiet_hours');
  expect(suppression(message, { ...user, mutedUntil: at }, at)).toBeUndefined();
});

it.each([
  ['22:00', '07:00', 'Asia/Kolkata', true], // 02:00 there
  ['22:00', '07:00', 'Europe/Berlin', true], // 22:30
  ['22:00', '07:00', 'America/New_York', false], // 16:30
  ['22:31', '22:30', 'Europe/Berlin', false], // ends at this minute
  ['22:30', '22:31', 'Europe/Berlin', true],
  ['22:30', '22:30', 'Europe/Berlin', false], // nothing between
])('quiet from %s to %s in %s: %s', (start, end, timeZone, quiet) => {
  const quietHours = { enabled: true, start, end, allowMentions: true };
  expect(suppression(message, { ...user, quietHours, timeZone }, at)).toBe(quiet ? 'quiet_hours' : undefined);
});

it('knows the clocks of a zone, midnight and summer time included', () => {
  expect(timeIn('Europe/Berlin', new Date('2030-01-01T23:00:00Z'))).toBe('00:00');
  expect(timeIn('Europe/Berlin', new Date('2030-07-01T22:00:00Z'))).toBe('00:00');
});

it('above 500 members "default" means mentions only; a choice of one’s own stays', () => {
  expect(resolveLevel('default', 'all', 500)).toBe('all');
  expect(resolveLevel('default', 'all', 501)).toBe('mentions');
  expect(resolveLevel('default', 'none', 501)).toBe('none');
  expect(resolveLevel('all', 'none', 10_000)).toBe('all');
});

it('asks the device last', () => {
  const device = { enabled: true, reachable: true, recent: 0 };
  expect(deviceSuppression(device)).toBeUndefined();
  expect(deviceSuppression({ ...device, enabled: false, reachable: false })).toBe('device_disabled');
  expect(deviceSuppression({ ...device, reachable: false, recent: DEVICE_RATE })).toBe('provider_error');
  expect(deviceSuppression({ ...device, recent: DEVICE_RATE })).toBe('rate_limited');
});

it('shows one line', () => {
  expect(preview('  a\n\nb ', 0)).toBe('a b');
  expect(Array.from(preview('😀'.repeat(300), 0))).toHaveLength(200);
  expect([preview(null, 0), preview(null, 1), preview('', 3)]).toEqual(['New message', 'A file', '3 files']);
});
