import { Client, Pool } from 'pg';
import { clientConfig, followPassword, targetOf } from './connection-url.js';

const url =
  'postgresql://parley:old%20one@db:6543/parley?schema=public&sslmode=require&options=-c%20search_path%3Dp&connection_limit=5';
type Asked = Client & { password: () => Promise<string> };

describe('a URL whose password is followed', () => {
  let present: () => Promise<string>;
  beforeAll(() => followPassword(url, () => present()));

  it('says all else as before', () => {
    const before = new Client(clientConfig(`${url}&x=y`, 'DATABASE_URL'));
    const after = new Client(clientConfig(url, 'DATABASE_URL'));
    const said = (client: Client) => ({
      ...(client as unknown as { connectionParameters: object }).connectionParameters,
    });
    expect(said(after)).toEqual(said(before));
    expect(after.ssl).toEqual({ rejectUnauthorized: false });
    expect(targetOf(clientConfig(url, 'DATABASE_URL'), 'DATABASE_URL')).toEqual({
      user: 'parley',
      host: 'db:6543',
      database: 'parley',
      source: 'DATABASE_URL',
    });
  });

  it('asks for the password anew for each connection, also in a pool; else takes the last one known', async () => {
    const { options } = new Pool(clientConfig(url, 'DATABASE_URL'));
    const password = () => (new Client(options) as unknown as Asked).password();
    present = () => Promise.resolve(url);
    expect(await password()).toBe('old one');
    present = () => Promise.resolve('postgresql://parley:n%40w@db/parley');
    expect(await password()).toBe('n@w');
    for (const nothing of [
      () => Promise.resolve('postgresql://parl'),
      () => Promise.resolve(''),
      () => Promise.reject(new Error('away')),
      () => new Promise<never>(() => undefined),
    ]) {
      present = nothing;
      expect(await password()).toBe('n@w');
    }
  });

  it('without a password nothing is followed', () => {
    const bare = 'postgresql://parley@db/parley';
    followPassword(bare, () => Promise.resolve(url));
    expect(clientConfig(bare, 'DATABASE_URL')).toEqual({ connectionString: `${bare}?uselibpqcompat=true` });
  });
});
