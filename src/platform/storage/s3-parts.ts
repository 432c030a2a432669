import type { CompletedPart, Part, S3Client } from '@aws-sdk/client-s3';
import { epochMs } from '../clock/clock.js';
import { type PartedAccess, type PartedUpload, partCountOf, partSizeOf } from './storage.js';
import { assertKey } from './storage-key.js';

type Sdk = typeof import('@aws-sdk/client-s3');

/** The bucket, and how it is asked: failures of the store come out as `dependency_unavailable`. */
export interface S3Bucket {
  name: string;
  /** Larger files are sent in parts; bytes. */
  multipartBytes: number;
  ask<T>(work: (sdk: Sdk, client: S3Client) => Promise<T>): Promise<T>;
  /** Without asking the store. */
  sign<T>(work: (sdk: Sdk, client: S3Client) => Promise<T>): Promise<T>;
}

const MIB = 1024 * 1024;
/** What is lost when a part has to be sent again, and what a link has to last for. */
const USUAL_PART_BYTES = 16 * MIB;
/** Limits of S3: parts of one upload, parts told in one answer. */
const MOST_PARTS = 10_000;
const PARTS_PER_LIST = 1000;
/** An upload in parts may go on for a day; ms. */
const ABANDONED_MS = 25 * 3_600_000;
/** Everything of Parley's lies below it. */
const HOME = 'media/';

/** Multipart uploads of S3. Which parts are there, and under which ETags, the store is asked; no client is believed. */
export class S3Parts implements PartedAccess {
  constructor(private readonly bucket: S3Bucket) {}

  partBytesFor(size: number): number | null {
    const { multipartBytes } = this.bucket;
    if (size <= multipartBytes) return null;
    return Math.max(Math.min(multipartBytes, USUAL_PART_BYTES), Math.ceil(size / MOST_PARTS / MIB) * MIB);
  }

  begin(key: string, type: string): Promise<string> {
    return this.bucket.ask(async (sdk, client) => {
      const command = new sdk.CreateMultipartUploadCommand({ ...this.at(key), ContentType: type });
      const { UploadId } = await client.send(command);
      if (UploadId === undefined) throw new Error('the store answered no upload id');
      return UploadId;
    });
  }

  /** The length is signed, so another one does not match; stores that do not check it are found out by `listPresent`. */
  sign(upload: PartedUpload, number: number, expiresInS: number): Promise<string> {
    return this.bucket.sign(async (sdk, client) => {
      const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
      const command = new sdk.UploadPartCommand({
        ...this.at(upload.key),
        UploadId: upload.uploadId,
        PartNumber: number,
        ContentLength: partSizeOf(upload, number),
      });
      return getSignedUrl(client, command, {
        expiresIn: expiresInS,
        signableHeaders: new Set(['host', 'content-length']),
      });
    });
  }

  async listPresent(upload: PartedUpload, from: number, to: number): Promise<Set<number> | undefined> {
    const parts = await this.listWhole(upload, from, to);
    return parts && new Set(parts.keys());
  }

  async join(upload: PartedUpload): Promise<readonly number[]> {
    const count = partCountOf(upload);
    const present = await this.listWhole(upload, 1, count);
    if (!present) return [];
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    const missing = numbers.filter((number) => !present.has(number));
    if (missing.length > 0) return missing;
    const Parts = numbers.map((PartNumber): CompletedPart => ({ PartNumber, ETag: present.get(PartNumber) }));
    await this.bucket.ask(async (sdk, client) => {
      const command = new sdk.CompleteMultipartUploadCommand({
        ...this.at(upload.key),
        UploadId: upload.uploadId,
        MultipartUpload: { Parts },
      });
      await client.send(command).catch(unlessUnknown);
    });
    return [];
  }

  async abort(key: string, uploadId: string): Promise<void> {
    await this.bucket.ask((sdk, client) =>
      client.send(new sdk.AbortMultipartUploadCommand({ ...this.at(key), UploadId: uploadId })).catch(unlessUnknown),
    );
  }

  /** Uploads nobody will finish any more: their rows are gone, or their process was. */
  async removeAbandoned(): Promise<void> {
    const before = epochMs() - ABANDONED_MS;
    for (let KeyMarker: string | undefined, UploadIdMarker: string | undefined; ;) {
      const page = await this.bucket.ask((sdk, client) =>
        client.send(
          new sdk.ListMultipartUploadsCommand({ Bucket: this.bucket.name, Prefix: HOME, KeyMarker, UploadIdMarker }),
        ),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
        if (Key !== undefined && UploadId !== undefined && Initiated && Initiated.getTime() < before)
          await this.abort(Key, UploadId);
      if (!page.IsTruncated || page.NextKeyMarker === undefined) return;
      [KeyMarker, UploadIdMarker] = [page.NextKeyMarker, page.NextUploadIdMarker];
    }
  }

  /** ETags of the parts that are as large as they should be, by number; undefined when the store does not know the upload. */
  private async listWhole(upload: PartedUpload, from: number, to: number): Promise<Map<number, string> | undefined> {
    const whole = new Map<number, string>();
    for (let after = from - 1; after < to;) {
      const page = await this.list(upload, after, Math.min(to - after, PARTS_PER_LIST));
      if (!page) return undefined;
      for (const { PartNumber, Size, ETag } of page.parts)
        if (PartNumber !== undefined && ETag !== undefined && Size === partSizeOf(upload, PartNumber))
          whole.set(PartNumber, ETag);
      if (page.next === undefined) break;
      after = page.next;
    }
    return whole;
  }

  private list(
    { key, uploadId }: PartedUpload,
    after: number,
    limit: number,
  ): Promise<{ parts: Part[]; next: number | undefined } | undefined> {
    return this.bucket.ask(async (sdk, client) => {
      const command = new sdk.ListPartsCommand({
        ...this.at(key),
        UploadId: uploadId,
        PartNumberMarker: String(after),
        MaxParts: limit,
      });
      const page = await client.send(command).catch(unlessUnknown);
      if (!page) return undefined;
      return { parts: page.Parts ?? [], next: page.IsTruncated ? Number(page.NextPartNumberMarker) : undefined };
    });
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket.name, Key: assertKey(key) };
  }
}

/** Joined or aborted before. */
function unlessUnknown(error: unknown): undefined {
  if ((error as { name?: unknown } | null)?.name !== 'NoSuchUpload') throw error;
}
