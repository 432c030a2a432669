import { PasswordsService } from './passwords.service.js';

const passwords = new PasswordsService();

it('accepts the right password and no other', async () => {
  const stored = await passwords.hash('correct horse');
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await passwords.verify(stored, 'correct horse')).toBe(true);
  expect(await passwords.verify(stored, 'correct hors')).toBe(false);
});

it('hashes the same password differently each time', async () => {
  expect(await passwords.hash('correct horse')).not.toBe(await passwords.hash('correct horse'));
});

it('nothing is right where no password is stored', async () => {
  expect(await passwords.verify(null, '')).toBe(false);
  expect(await passwords.verify(undefined, 'anything')).toBe(false);
});

it('tells a hash with other costs', async () => {
  const { hash } = await import('@node-rs/argon2');
  expect(await passwords.isOutdated(await passwords.hash('correct horse'))).toBe(false);
  expect(await passwords.isOutdated(await hash('correct horse', { memoryCost: 4096, timeCost: 3 }))).toBe(true);
});

it('keeps the event loop free and refuses what it cannot take', async () => {
  let turns = 0;
  const turning = setInterval(() => (turns += 1), 1);
  const outcomes = await Promise.allSettled(Array.from({ length: 300 }, (_, i) => passwords.verify(null, String(i))));
  clearInterval(turning);
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'overloaded' } });
  expect(outcomes.length - refused.length).toBeGreaterThanOrEqual(200);
  // Two hundred comparisons took seconds of work; had they held the loop, it would have turned a few times only.
  expect(turns).toBeGreaterThan(20);
}, 60_000);
