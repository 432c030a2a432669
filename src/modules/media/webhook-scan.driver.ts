import { Readable } from 'node:stream';
import { z } from 'zod';

const ANSWER_MS = 60_000;

const answer = z.object({ clean: z.boolean(), threat: z.string().max(200).optional() });

/** Posts the bytes as they are; a 2xx with `{clean, threat?}` is the verdict, anything else is none. */
export async function webhookScan(
  url: string,
  mediaId: string,
  content: Readable,
  answerMs = ANSWER_MS,
): Promise<string | null> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream', 'User-Agent': 'Parley', 'Parley-Media-Id': mediaId },
    body: Readable.toWeb(content),
    duplex: 'half',
    redirect: 'error',
    signal: AbortSignal.timeout(answerMs),
  });
  if (!response.ok) throw new Error(`the scanner answered ${response.status}`);
  const { clean, threat } = answer.parse(await response.json());
  return clean ? null : (threat ?? 'unnamed');
}
