import { errorFields } from './error-fields.js';

it('says what failed and where, and nothing that hangs on the error', () => {
  const error = Object.assign(new Error('duplicate key value violates unique constraint "users_email"'), {
    code: '23505',
    detail: 'Key (email)=(ada@example.com) already exists.',
    parameters: ['ada@example.com'],
    request: { headers: { authorization: 'Bearer secret' } },
  });
  const fields = errorFields(new TypeError('not stored', { cause: error }));
  expect(Object.keys(fields)).toEqual(['type', 'message', 'stack', 'cause']);
  expect(fields).toMatchObject({ type: 'TypeError', message: 'not stored', cause: { code: '23505' } });
  expect(JSON.stringify(fields)).not.toMatch(/ada@example.com|secret/);
});

it('names what PostgreSQL called it, and nothing that only looks alike', () => {
  const sqlstate = (code: string) => errorFields(Object.assign(new Error('failed'), { code })).sqlstate;
  expect(['42P01', '23505', 'EPIPE', 'P2010'].map(sqlstate)).toEqual(['42P01', '23505', undefined, undefined]);
});

it('ends, also for errors that cause each other, and takes what is no error', () => {
  const loop = new Error('again');
  loop.cause = loop;
  expect(JSON.stringify(errorFields(loop)).match(/"message":"again"/g)).toHaveLength(4);
  expect(errorFields('text')).toMatchObject({ type: 'Error', message: 'text' });
});
