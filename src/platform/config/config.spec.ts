import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from './config.js';

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://parley:hunter2@db/parley',
  APP_SECRET: 's'.repeat(32),
};
const faultsOf = async (environment: Record<string, string>): Promise<ConfigError> =>
  loadConfig(environment).then(
    () => {
      throw new Error('nothing is wrong with it');
    },
    (error: ConfigError) => error,
  );

describe('configuration', () => {
  it('takes the keys of push providers as their consoles hand them out, and hides them in faults', async () => {
    const account = { project_id: 'p', client_email: 'c@p', private_key: '-----BEGIN PRIVATE KEY-----\nhunter2' };
    const apple = { APNS_KEY_ID: 'k', APNS_TEAM_ID: 't', APNS_TOPIC: 'com.example' };
    const config = await loadConfig({
      FCM_SERVICE_ACCOUNT: JSON.stringify({ ...account, type: 'service_account' }),
      APNS_KEY: String.raw`-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----`,
      ...apple,
    });
    expect(config.FCM_SERVICE_ACCOUNT).toEqual({ ...account, token_uri: 'https://oauth2.googleapis.com/token' });
    expect(config.APNS_KEY?.split('\n')).toHaveLength(3);
    for (const faulty of ['hunter2', '{"project_id":"hunter2"}', '"hunter2"']) {
      const { faults, message } = await faultsOf({ FCM_SERVICE_ACCOUNT: faulty });
      expect(faults.map(({ name }) => name)).toEqual(['FCM_SERVICE_ACCOUNT']);
      expect(message).not.toContain('hunter2');
    }
    const { faults } = await faultsOf({ APNS_KEY: '-----BEGIN PRIVATE KEY-----', APNS_TEAM_ID: 't' });
    expect(faults.map(({ name }) => name)).toEqual(['APNS_KEY_ID', 'APNS_TOPIC']);
  });

  it('sends alerts by e-mail when it knows from whom and through which server', async () => {
    const mail = { ALERT_EMAIL_TO: 'ops@example.com, night@example.com', ALERT_EMAIL_FROM: 'parley@example.com' };
    await expect(loadConfig({ ...mail, SMTP_URL: 'smtps://user:hunter2@mail.example.com:465' })).resolves.toMatchObject(
      mail,
    );
    const { faults, message } = await faultsOf({ ALERT_EMAIL_TO: 'ops@example.com', SMTP_URL: 'http://:hunter2@mail' });
    expect(faults.map(({ name }) => name)).toEqual(['SMTP_URL', 'ALERT_EMAIL_FROM']);
    expect(message).not.toContain('hunter2');
    for (const faulty of ['ops', 'ops@example.com;night@example.com', 'Ops <ops@example.com>'])
      expect((await faultsOf({ ALERT_EMAIL_TO: faulty })).faults.map(({ name }) => name)).toEqual(['ALERT_EMAIL_TO']);
  });

  it('says where each value came from: default, environment, file, parameter store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-config-'));
    const file = join(folder, 'secret');
    writeFileSync(file, `${'f'.repeat(32)}\n`);
    try {
      const asked: string[] = [];
      const config = await loadConfig(
        {
          NODE_ENV: 'production',
          APP_SECRET_FILE: file,
          DATABASE_URL: 'ssm:/parley/DATABASE_URL',
          AWS_REGION: 'eu-central-1',
        },
        (path, region) => {
          asked.push(`${region} ${path}`);
          return Promise.resolve('postgresql://parley@db/parley');
        },
      );
      expect(asked).toEqual(['eu-central-1 /parley/DATABASE_URL']);
      expect(config).toMatchObject({ APP_SECRET: 'f'.repeat(32), DATABASE_URL: 'postgresql://parley@db/parley' });
      expect(config.sources).toMatchObject({
        APP_SECRET: 'file',
        DATABASE_URL: 'parameter store',
        AWS_REGION: 'environment',
        PORT: 'default',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('follows what is kept outside the environment: a file at once, a parameter every 30 s', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-config-'));
    const file = join(folder, 'url');
    const url = (password: string) => `postgresql://parley:${password}@db/parley`;
    writeFileSync(file, url('one'));
    let stored = url('one');
    let asked = 0;
    const elapsed = jest.spyOn(performance, 'now').mockReturnValue(0);
    try {
      const config = await loadConfig(
        { ...production, DATABASE_URL: undefined, DATABASE_URL_FILE: file, DATABASE_DIRECT_URL: 'ssm:/parley/url' },
        () => Promise.resolve(((asked += 1), stored)),
      );
      expect((await loadConfig(production)).follow('DATABASE_URL')).toBeUndefined();
      const [fromFile, fromStore] = [config.follow('DATABASE_URL'), config.follow('DATABASE_DIRECT_URL')];
      writeFileSync(file, `${url('two')}\n`);
      stored = url('two');
      expect(await fromFile?.()).toBe(url('two'));
      expect(await fromStore?.()).toBe(url('one'));
      elapsed.mockReturnValue(30_000);
      expect(await Promise.all([fromStore?.(), fromStore?.()])).toEqual([url('two'), url('two')]);
      expect(asked).toBe(2);
      writeFileSync(file, 'no url');
      await expect(fromFile?.()).rejects.toThrow('DATABASE_URL has no valid value now');
    } finally {
      elapsed.mockRestore();
      rmSync(folder, { recursive: true });
    }
  });

  it('a parameter that cannot be read is named by its path, without the reason of the store', async () => {
    const denied = () => Promise.reject(new Error('AccessDenied for arn:aws:iam::123:role/x'));
    const error = await loadConfig({ ...production, APP_SECRET: 'ssm:/parley/APP_SECRET' }, denied).catch(
      (e: Error) => e,
    );
    expect((error as Error).message).toContain('parameter /parley/APP_SECRET cannot be read');
    expect((error as Error).message).not.toContain('AccessDenied');
  });

  it('lists every fault at once, exit 10, and never a secret', async () => {
    const error = await faultsOf({
      NODE_ENV: 'production',
      PORT: 'http',
      APP_SECRET: 'short-secret',
      LOG_LEVEL: 'loud',
    });
    expect(error.exitCode).toBe(10);
    expect(error.faults.map(({ name }) => name).toSorted()).toEqual([
      'APP_SECRET',
      'DATABASE_URL',
      'LOG_LEVEL',
      'PORT',
    ]);
    expect(error.message).not.toContain('short-secret');
  });

  it('has the promised defaults', async () => {
    expect(await loadConfig(production)).toMatchObject({
      PORT: 3000,
      LOG_LEVEL: 'info',
      AWS_REGION: 'us-east-1',
      DB_POOL_MAX: 10,
      DB_POOL_TIMEOUT_MS: 20_000,
      DB_POOL_IDLE_MS: 30_000,
      DB_CONNECT_MAX_RETRIES: 5,
      DB_CONNECT_DELAY_MS: 2000,
      BOOT_DEADLINE: 300,
      AWS_ACCESS_KEY_ID: undefined,
      S3_BUCKET_NAME: undefined,
      SQS_QUEUE_URL: undefined,
    });
  });
});
