import { backoffMs, noAnswer, sleep, toParleyError } from './errors.js';
import type { Parts } from './generated/contract.js';
import type { Rest } from './rest.js';

export interface TransferOptions {
  /** In browsers during the transfer, elsewhere at its end; of a large file, with each part. */
  onProgress?: (sent: number, total: number) => void;
  /** Ends the upload; what has arrived is forgotten. */
  signal?: AbortSignal;
}

/** Parts under way together: enough to fill a line, few enough that a short part of it is lost with the line. */
const AT_ONCE = 4;
/** Parts that are asked for together: so many are sent before their links expire. */
const PAGE = 20;
/** Rounds in a row in which nothing arrived, until the upload is given up: minutes. */
const PATIENCE = 10;

/**
 * Sends a large file in parts. What has arrived, the server is asked before each round: a part that failed, a link that
 * expired and a network that was away for a while all end in another round, and nothing that arrived is sent twice.
 */
export async function sendParts(rest: Rest, mediaId: string, file: Blob, options: TransferOptions): Promise<void> {
  const sent = new Set<number>();
  for (let from = 1, failures = 0; ;) {
    options.signal?.throwIfAborted();
    const before = sent.size;
    try {
      const page = await rest.get<Parts>(`/media/uploads/${mediaId}/parts`, { from, limit: PAGE });
      await sendPage(page, file, options, sent);
      from += page.items.length;
      if (from > page.count) return;
    } catch (thrown) {
      options.signal?.throwIfAborted();
      failures = sent.size > before ? 1 : failures + 1;
      const error = toParleyError(thrown);
      if (failures >= PATIENCE || isFinal(error.status, error.code)) throw error;
      await sleep(backoffMs(failures, error));
    }
  }
}

/** Every part that is not there yet. @throws what the first failure was, after the others have ended */
async function sendPage(page: Parts, file: Blob, options: TransferOptions, sent: Set<number>): Promise<void> {
  const arrived = (number: number): void => {
    sent.add(number);
    options.onProgress?.(Math.min(sent.size * page.partBytes, file.size), file.size);
  };
  for (const { number, url } of page.items) if (url === null) arrived(number);
  const left = page.items.values();
  const lane = async (): Promise<void> => {
    for (const { number, size, url } of left) {
      if (url === null) continue;
      const start = (number - 1) * page.partBytes;
      await sendPart(url, file.slice(start, start + size), options.signal);
      arrived(number);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function sendPart(url: string, body: Blob, signal: AbortSignal | undefined): Promise<void> {
  const response = await fetch(url, { method: 'PUT', body, ...(signal ? { signal } : {}) }).catch((cause: unknown) => {
    throw noAnswer('offline', 'A part of the upload had no answer', cause);
  });
  await response.arrayBuffer();
  // What a store says is no word of Parley's: the next round tells what is to be done.
  if (!response.ok) throw noAnswer('offline', `The store answered ${response.status}`);
}

/** Said by Parley about the upload itself: it is over. */
const isFinal = (status: number, code: string): boolean =>
  code === 'closed' || (status >= 400 && status < 500 && status !== 429);
