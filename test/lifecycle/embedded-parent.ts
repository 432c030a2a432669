// The process that embeds the server, in the smallest form: what it does is one JSON line each on stdout.
import { Client } from 'pg';
import { startEmbedded } from '../../src/platform/database/embedded-postgres.js';

const say = (event: string, fields: object = {}): void =>
  void process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);

try {
  const server = await startEmbedded({ dir: process.argv[2] ?? '', log: say });
  const client = new Client({ connectionString: server.url, application_name: 'parley/app' });
  client.on('error', () => {});
  await client.connect();
  const stop = async (signal: string): Promise<void> => {
    const { rows } = await client.query('SELECT 1 AS alive');
    say('signal', { signal, alive: rows.length === 1 });
    await client.end();
    await server.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal));
  say('ready', { url: server.url, adopted: server.adopted, socketDir: server.socketDir });
} catch (error) {
  const { message, hint, exitCode } = error as Error & { hint?: string; exitCode?: number };
  say('failed', { message, hint });
  process.exit(exitCode ?? 1);
}
