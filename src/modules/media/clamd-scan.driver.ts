import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';

const CONNECT_MS = 2000;
const ANSWER_MS = 60_000;
const DEFAULT_PORT = 3310;

/** INSTREAM of clamd (clamd(8)): chunks after their length in four bytes, a zero at the end, then one line. */
export async function clamdScan(
  { hostname, port }: URL,
  content: Readable,
  answerMs = ANSWER_MS,
): Promise<string | null> {
  const socket = connect({ host: hostname, port: port === '' ? DEFAULT_PORT : Number(port), timeout: CONNECT_MS });
  socket.once('connect', () => socket.setTimeout(answerMs));
  socket.once('timeout', () => socket.destroy(new Error('clamd does not answer')));
  const answered = text(socket);
  // clamd may answer and hang up before it has read everything; then its answer counts.
  const sent = pipeline(framed(content), socket, { end: false });
  const answer = await Promise.race([answered, sent.then(() => answered)]).finally(() => socket.destroy());
  await sent.catch(() => undefined);
  const verdict = answer.replace('\0', '').trim();
  if (verdict.endsWith(' OK')) return null;
  const found = /^stream: (.+) FOUND$/.exec(verdict)?.[1];
  if (found === undefined) throw new Error(`clamd answered ${JSON.stringify(verdict.slice(0, 100))}`);
  return found;
}

async function* framed(content: Readable): AsyncGenerator<Buffer> {
  yield Buffer.from('zINSTREAM\0');
  for await (const chunk of content as AsyncIterable<Buffer>) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(chunk.length);
    yield length;
    yield chunk;
  }
  yield Buffer.alloc(4);
}
