import { aborted, LifecycleError, redact } from './errors.js';

it.each([
  ['postgresql://ann:s3cret@db:5432/app?sslmode=require', 'postgresql://ann@db:5432/app'],
  ['postgres://ann:p@ss:w/rd@db/app', 'postgres://ann@db/app'],
  ['at postgresql://db/app?password=s3cret end', 'at postgresql://db/app end'],
  ["ALTER ROLE ann PASSWORD = 's3 cret'", 'ALTER ROLE ann PASSWORD = ***'],
  ['{"password":"s3cret"}', '{"password":"***"}'],
  ["ALTER ROLE ann PASSWORD 's3cret';", 'ALTER ROLE ann PASSWORD ***;'],
  ['password authentication failed for user "ann"', 'password authentication failed for user "ann"'],
])('redacts %s', (text, expected) => {
  expect(redact(text)).toBe(expected);
  expect(redact(text)).not.toMatch(/s3|w\/rd/);
});

it('an abort keeps its reason: a signal gives 130 or 143, a lifecycle error itself', () => {
  expect(aborted('SIGINT').exitCode).toBe(130);
  expect(aborted('SIGTERM').exitCode).toBe(143);
  const reason = new LifecycleError('lock', 'held');
  expect(aborted(reason)).toBe(reason);
});
