import type { Readable } from 'node:stream';
import type { HealthReading } from '../lifecycle/health-registry.js';

/** What a store knows of one object. */
export interface StoredObject {
  key: string;
  /** Bytes. */
  size: number;
  modifiedAt: Date;
}

/** Leave to upload one object: this key, this type, at most this many bytes. */
export interface UploadGrant {
  key: string;
  size: number;
  type: string;
  expiresInS: number;
}

/** How a client sends the bytes; `fields` go before the file in a form (post), `headers` with the request (put). */
export interface SignedUpload {
  strategy: 'post' | 'put';
  method: 'POST' | 'PUT';
  url: string;
  fields: Record<string, string>;
  headers: Record<string, string>;
}

/** Leave to fetch one object, and under which type and disposition it is served. */
export interface DownloadGrant {
  key: string;
  type: string;
  disposition: string;
  expiresInS: number;
}

/** One object that comes in parts of `partBytes`, the last one shorter, numbered from 1. */
export interface PartedUpload {
  key: string;
  /** The store's name for what has come so far. */
  uploadId: string;
  /** Bytes of the whole. */
  size: number;
  partBytes: number;
}

/** Large objects come in parts. An upload whose parts were joined, or that was aborted, is unknown to the store. */
export interface PartedAccess {
  /** Bytes of a part of an object of this size; null when it is sent in one piece. */
  partBytesFor(size: number): number | null;
  /** @returns the `uploadId` */
  begin(key: string, type: string): Promise<string>;
  /** A link that takes this part, of its size and no other. Made without asking the store. */
  sign(upload: PartedUpload, number: number, expiresInS: number): Promise<string>;
  /** Which parts between two numbers are there, whole; undefined when the upload is unknown. */
  listPresent(upload: PartedUpload, from: number, to: number): Promise<Set<number> | undefined>;
  /** Makes the object of its parts, or answers which ones are missing. Does nothing when the upload is unknown. */
  join(upload: PartedUpload): Promise<readonly number[]>;
  /** Unknown ones are fine. */
  abort(key: string, uploadId: string): Promise<void>;
}

/** Numbers and sizes of the parts: at most 10,000. */
export const partCountOf = ({ size, partBytes }: Pick<PartedUpload, 'size' | 'partBytes'>): number =>
  Math.ceil(size / partBytes);
export const partSizeOf = ({ size, partBytes }: Pick<PartedUpload, 'size' | 'partBytes'>, number: number): number =>
  Math.min(partBytes, size - (number - 1) * partBytes);

/** Clients exchange bytes with the store itself, by links it believes. Made without asking it. */
export interface DirectAccess {
  kind: 'direct';
  signUpload(grant: UploadGrant): Promise<SignedUpload>;
  signDownload(grant: DownloadGrant): Promise<string>;
  parts: PartedAccess;
}

/** Parley takes and serves the bytes on routes of its own. */
export interface OwnAccess {
  kind: 'own';
  /** Stores a stream whole or not at all. @throws payload_too_large beyond `maxBytes`, before they are stored */
  receive(key: string, source: Readable, maxBytes: number): Promise<void>;
  /** Where the object lies, for sending it with ranges. */
  locate(key: string): { root: string; path: string };
}

/**
 * Objects under keys that Parley makes: `assertKey` says which are possible. An object is written once and never changed.
 * Every method throws `dependency_unavailable` when the store does not do its work, whatever the reason.
 */
export abstract class Storage {
  abstract readonly driver: 'disk' | 's3';
  abstract readonly access: DirectAccess | OwnAccess;

  abstract put(key: string, body: Uint8Array, type: string): Promise<void>;
  /** Undefined when there is no such object. The stream fails when the store does. */
  abstract read(key: string): Promise<Readable | undefined>;
  abstract head(key: string): Promise<StoredObject | undefined>;
  /**
   * False when there is nothing to copy. What is written to `from` afterwards does not reach `to`. `size`, in bytes and as
   * far as it is known, says whether a store had better copy in parts.
   */
  abstract copy(from: string, to: string, size?: number): Promise<boolean>;
  /** Absent keys are fine. */
  abstract delete(keys: readonly string[]): Promise<void>;
  /** Every object whose key begins with `prefix`, which is empty or ends in a slash; in no order. */
  abstract list(prefix: string): AsyncIterable<StoredObject>;
  /** Whether the store works, and what is known of it. Throws when it does not. */
  abstract check(): Promise<HealthReading>;
  close(): void {}

  /** Removes what interrupted uploads left half-written, once it is older than any upload that may still go on. */
  async removeAbandoned(): Promise<void> {}

  /** Removes everything under `prefix` except these keys. */
  async clear(prefix: string, except: readonly string[] = []): Promise<void> {
    const kept = new Set(except);
    const keys: string[] = [];
    for await (const { key } of this.list(prefix)) if (!kept.has(key)) keys.push(key);
    await this.delete(keys);
  }
}
