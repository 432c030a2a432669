import type { VariantName } from './dto/upload.dto.js';

export type MediaState = 'pending' | 'uploaded' | 'processing' | 'ready' | 'rejected' | 'quarantined' | 'deleted';

/** A smaller rendition of an image. */
export interface VariantRow {
  variant: string;
  storageKey: string;
  mime: string;
  /** Bytes. */
  size: number;
  width: number;
  height: number;
}

export interface MediaRow {
  id: string;
  ownerId: string;
  purpose: 'attachment' | 'avatar';
  name: string;
  mimeClaimed: string;
  mime: string | null;
  size: number;
  sha256: string | null;
  storageKey: string;
  driver: string;
  /** Bytes of a part, of a file that comes in parts. */
  partBytes: number | null;
  /** The store's name for it, once parts were asked for. */
  uploadId: string | null;
  state: MediaState;
  width: number | null;
  height: number | null;
  durationMs: number | null;
  blurhash: string | null;
  rejectReason: string | null;
  boundAt: Date | null;
  createdAt: Date;
  variants: VariantRow[];
}

/** Types that can be told from each other by nothing but their name, or are used for each other; the first one is the usual. */
const families: Record<string, readonly string[]> = {
  image: ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif', 'image/apng'],
  mp4: ['video/mp4', 'audio/mp4', 'audio/x-m4a', 'video/quicktime', 'video/x-m4v'],
  matroska: ['video/webm', 'audio/webm', 'video/matroska', 'video/x-matroska', 'audio/matroska'],
  ogg: ['audio/ogg', 'video/ogg', 'application/ogg', 'audio/opus'],
  mp3: ['audio/mpeg', 'audio/mp3'],
  aac: ['audio/aac', 'audio/x-aac'],
  wav: ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave'],
  flac: ['audio/flac', 'audio/x-flac'],
  pdf: ['application/pdf'],
  zip: [
    'application/zip',
    'application/x-zip-compressed',
    'application/epub+zip',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    'application/vnd.oasis.opendocument.text',
    'application/vnd.oasis.opendocument.spreadsheet',
    'application/vnd.oasis.opendocument.presentation',
  ],
  cfb: ['application/x-cfb', 'application/msword', 'application/vnd.ms-excel', 'application/vnd.ms-powerpoint'],
  gzip: ['application/gzip', 'application/x-gzip'],
  sevenZip: ['application/x-7z-compressed'],
  rtf: ['application/rtf', 'text/rtf'],
  xml: ['application/xml', 'text/xml', 'image/svg+xml'],
  text: [
    'text/plain',
    'text/csv',
    'text/markdown',
    'text/html',
    'text/calendar',
    'text/vcard',
    'application/json',
    'application/xhtml+xml',
  ],
  unknown: ['application/octet-stream'],
};
const familyOf = new Map(Object.entries(families).flatMap(([family, types]) => types.map((type) => [type, family])));

/** What a browser may show by itself. Everything else is saved, above all what could carry script. */
const inline = new Set([...(families['image'] ?? []), 'video/mp4', 'video/webm']);

export const isImage = (mime: string): boolean => familyOf.get(mime) === 'image';

const demuxers: Record<string, string> = {
  mp4: 'mov',
  matroska: 'matroska',
  ogg: 'ogg',
  mp3: 'mp3',
  aac: 'aac',
  wav: 'wav',
  flac: 'flac',
};
/** What ffprobe reads sound and film of this type with; undefined for everything else. */
export const demuxerOf = (mime: string): string | undefined => demuxers[familyOf.get(mime) ?? ''];

/** Whether a file is looked into before it is ready. */
export const needsProcessing = (mime: string): boolean => isImage(mime) || demuxerOf(mime) !== undefined;

/** Whether a file of this type may be sent at all. */
export const isAccepted = (mime: string, purpose: MediaRow['purpose']): boolean =>
  purpose === 'avatar' ? isImage(mime) : familyOf.has(mime);

/**
 * The type of a file, from what its owner claims and what its first bytes are; undefined when they contradict each other
 * or the content is not accepted. A wrong name for an image is a slip: it is written anew as what it is.
 * @param detected by magic number; undefined when there is none
 */
export function typeOf(claimed: string, detected: string | undefined, head: Uint8Array): string | undefined {
  const claim = familyOf.get(claimed);
  const usual = detected?.split(';')[0];
  if (usual === undefined) {
    if (claim === 'text' || claim === 'xml') return isText(head) ? claimed : undefined;
    return claim === 'unknown' ? claimed : undefined;
  }
  const found = familyOf.get(usual);
  if (found === undefined) return undefined;
  if (found === 'image') return claim === 'image' || claim === 'unknown' ? still(usual) : undefined;
  if (claim === 'unknown') return usual;
  return claim === found || (claim === 'text' && found === 'xml') ? claimed : undefined;
}

const still = (mime: string): string => (mime === 'image/apng' ? 'image/png' : mime);

/** No byte that text does not have. */
const isText = (head: Uint8Array): boolean =>
  head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d);

/** Content-Disposition of a file under the name its owner gave (RFC 6266). */
export function dispositionOf(mime: string, name: string): string {
  const kind = inline.has(mime) || mime.startsWith('audio/') ? 'inline' : 'attachment';
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%/]/g, '_');
  const full = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${full}`;
}

/** Content-Type of a file: text is ours to say how it is written. */
export const contentTypeOf = (mime: string): string => (mime.startsWith('text/') ? `${mime}; charset=utf-8` : mime);

/** One rendition as it lies in the store; undefined when the file has none of that name. */
export function renditionOf(row: MediaRow, name: VariantName): { storageKey: string; mime: string } | undefined {
  if (name === 'original') return { storageKey: row.storageKey, mime: row.mime ?? 'application/octet-stream' };
  return row.variants.find(({ variant }) => variant === name);
}

/** The part of a storage key that all objects of one file have in common. */
export const folderOf = (storageKey: string): string => storageKey.slice(0, storageKey.lastIndexOf('/') + 1);
