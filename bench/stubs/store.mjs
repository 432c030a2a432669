// What a reference server does with a message before it is acknowledged: nothing, one INSERT, or one INSERT for all that
// came while the last one ran.
import pg from 'pg';

export async function openStore(mode, url) {
  if (mode === 'none') return { save: async () => undefined, newest: async () => [] };
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  await pool.query(`CREATE TABLE IF NOT EXISTS bench_messages (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, conversation text NOT NULL, body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now())`);
  await pool.query('CREATE INDEX IF NOT EXISTS bench_messages_newest ON bench_messages (conversation, seq DESC)');
  const newest = async (conversation) => {
    const text = 'SELECT seq, body, created_at FROM bench_messages WHERE conversation = $1 ORDER BY seq DESC LIMIT 50';
    return (await pool.query({ name: 'newest', text, values: [conversation] })).rows;
  };
  const one = { name: 'one', text: 'INSERT INTO bench_messages (conversation, body) VALUES ($1, $2)' };
  if (mode === 'single') return { save: (c, body) => pool.query({ ...one, values: [c, body] }), newest };
  return { save: batched(pool), newest };
}

function batched(pool) {
  const text = 'INSERT INTO bench_messages (conversation, body) SELECT * FROM unnest($1::text[], $2::text[])';
  let waiting = [];
  let running = false;
  const drain = async () => {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await pool.query({ name: 'many', text, values: [batch.map(({ c }) => c), batch.map(({ body }) => body)] });
      for (const { resolve } of batch) resolve();
    }
    running = false;
  };
  return (c, body) =>
    new Promise((resolve) => {
      waiting.push({ c, body, resolve });
      if (!running) void drain();
    });
}
