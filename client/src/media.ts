import { noAnswer } from './errors.js';
import type { Media, Upload } from './generated/contract.js';
import { sendParts, type TransferOptions } from './parts.js';
import { answerOf, type Rest } from './rest.js';

export interface UploadOptions extends TransferOptions {
  name?: string;
  purpose?: Media['purpose'];
}

/** What is used of XMLHttpRequest, which servers do not have. */
interface UploadRequest {
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  send(body: Blob | FormData): void;
  abort(): void;
  readonly upload: { onprogress: ((progress: { loaded: number; total: number }) => void) | null };
  readonly status: number;
  readonly statusText: string;
  readonly responseText: string;
  onload: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
}
type UploadRequestClass = new () => UploadRequest;

/** Uploads one file; its id can be sent as an attachment at once. */
export async function upload(rest: Rest, file: Blob & { name?: string }, options: UploadOptions = {}): Promise<Media> {
  const { purpose = 'attachment', name = file.name ?? 'file' } = options;
  const mime = file.type || 'application/octet-stream';
  const ticket = await rest.post<Upload>('/media/uploads', { name, size: file.size, mime, purpose });
  try {
    if (ticket.strategy === 'multipart') await sendParts(rest, ticket.mediaId, file, options);
    else await transfer(ticket, new URL(ticket.url, rest.base).href, file, options);
  } catch (error) {
    // Otherwise it would be gone in a day.
    if (options.signal?.aborted) await rest.delete(`/media/${ticket.mediaId}`, { tries: 1 }).catch(() => undefined);
    throw error;
  }
  return rest.post<Media>(`/media/uploads/${ticket.mediaId}/complete`);
}

async function transfer(ticket: Upload, url: string, file: Blob, options: UploadOptions): Promise<void> {
  const { method, headers } = ticket;
  const body = ticket.strategy === 'post' ? formOf(ticket.fields ?? {}, file) : file;
  const { onProgress, signal } = options;
  const { XMLHttpRequest } = globalThis as { XMLHttpRequest?: UploadRequestClass };
  if (onProgress && XMLHttpRequest) {
    return transferWithProgress(
      new XMLHttpRequest(),
      { method, url, headers: headers ?? {}, body },
      onProgress,
      signal,
    );
  }
  const response = await fetch(url, {
    method,
    headers: headers ?? {},
    body,
    ...(signal ? { signal } : {}),
  }).catch((cause: unknown) => {
    throw noAnswer('offline', 'The upload had no answer', cause);
  });
  await answerOf(response);
  onProgress?.(file.size, file.size);
}

/** The file comes last: object stores ignore what follows it. */
function formOf(fields: Record<string, string>, file: Blob): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', file);
  return form;
}

/** fetch tells nothing about the way up. */
function transferWithProgress(
  request: UploadRequest,
  {
    method,
    url,
    headers,
    body,
  }: { method: string; url: string; headers: Record<string, string>; body: Blob | FormData },
  onProgress: (sent: number, total: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onerror = request.onabort = () => reject(noAnswer('offline', 'The upload had no answer'));
    request.onload = () => {
      const type = request.getResponseHeader('content-type') ?? '';
      const init = { status: request.status, statusText: request.statusText, headers: { 'content-type': type } };
      // Some statuses forbid a body.
      answerOf(new Response(request.responseText || null, init)).then(() => resolve(), reject);
    };
    signal?.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}
