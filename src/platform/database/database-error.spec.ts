import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classify, translateDatabaseError } from './database-error.js';

const nowhere = join(tmpdir(), 'no-such-folder', '.s.PGSQL.5432');

describe('what a database error means', () => {
  it('is unavailable, where the file of a Unix socket is gone with its server', async () => {
    const error = await new Promise((resolve) => connect(nowhere).once('error', resolve));
    expect(classify(error).class).toBe('unreachable');
    expect(translateDatabaseError(error)?.code).toBe('database_unavailable');
  });

  it('is not that of a file somebody else misses', async () => {
    const error: unknown = await readFile(nowhere).catch((failure: unknown) => failure);
    expect(classify(error).class).toBe('internal');
    expect(translateDatabaseError(error)).toBeUndefined();
  });
});
