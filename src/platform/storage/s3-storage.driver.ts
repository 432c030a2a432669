import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Breaker } from '../lifecycle/breaker.js';
import type { HealthReading } from '../lifecycle/health-registry.js';
import { budgetRetries, RetryBudget } from '../lifecycle/retry-budget.js';
import { copyInParts } from './s3-large-copy.js';
import { S3Parts } from './s3-parts.js';
import {
  type DirectAccess,
  type DownloadGrant,
  type SignedUpload,
  Storage,
  type StoredObject,
  type UploadGrant,
} from './storage.js';
import { storageDown } from './storage.errors.js';
import { assertKey, assertPrefix, InvalidKeyError, isKey } from './storage-key.js';

export interface S3Options {
  bucket: string;
  region: string;
  endpoint: string | undefined;
  pathStyle: boolean;
  /** How clients upload; put is for stores without presigned POST. */
  upload: 'post' | 'put';
  /** Larger files are sent in parts; bytes. */
  multipartBytes?: number;
  /** Without keys the SDK's own chain finds some: role, container, profile. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** Larger objects are copied in parts of this size, in bytes. */
  partBytes?: number;
}

type Sdk = typeof import('@aws-sdk/client-s3');

const CONNECT_MS = 2000;
const ANSWER_MS = 5000;
const ATTEMPTS = 3;
/** Whether the store is there has to be known before anybody gets tired of waiting; in ms, retries included. */
const CHECK_MS = 1500;
/** What a store copies well within the time it has for an answer. */
const PART_BYTES = 64 * 1024 * 1024;
/** Most keys of one DeleteObjects call. */
const DELETE_AT_ONCE = 1000;

/** A bucket of Amazon S3 or of a store that speaks its protocol. The SDK is loaded at first use and is the only layer that retries. */
export class S3Storage extends Storage {
  readonly driver = 's3';
  readonly access: DirectAccess;
  private readonly parts: S3Parts;
  private loaded: Promise<{ sdk: Sdk; client: S3Client }> | undefined;
  private readonly budget = new RetryBudget('storage');

  /** @param breaker without one every call is made */
  constructor(
    private readonly options: S3Options,
    private readonly breaker?: Breaker,
  ) {
    super();
    const { bucket: name, multipartBytes = PART_BYTES } = options;
    this.parts = new S3Parts({
      name,
      multipartBytes,
      ask: (work) => this.reliably(work),
      sign: (work) =>
        this.signing(async () => {
          const { sdk, client } = await this.sdk();
          return work(sdk, client);
        }),
    });
    this.access = {
      kind: 'direct',
      signUpload: (grant) => this.signing(() => (options.upload === 'post' ? this.post(grant) : this.putLink(grant))),
      signDownload: (grant) => this.signing(() => this.getLink(grant)),
      parts: this.parts,
    };
  }

  async put(key: string, body: Uint8Array, type: string): Promise<void> {
    await this.reliably((sdk, client) =>
      client.send(
        new sdk.PutObjectCommand({ ...this.at(key), Body: body, ContentType: type, ContentLength: body.length }),
      ),
    );
  }

  read(key: string): Promise<Readable | undefined> {
    return this.unlessMissing(async (sdk, client) => {
      const { Body } = await client.send(new sdk.GetObjectCommand(this.at(key)));
      // On Node the SDK answers a Node stream.
      return Body as Readable | undefined;
    });
  }

  head(key: string): Promise<StoredObject | undefined> {
    return this.unlessMissing(async (sdk, client) => {
      const { ContentLength, LastModified } = await client.send(new sdk.HeadObjectCommand(this.at(key)));
      return { key, size: ContentLength ?? 0, modifiedAt: LastModified ?? new Date(0) };
    });
  }

  async copy(from: string, to: string, size = 0): Promise<boolean> {
    const { bucket, partBytes = PART_BYTES } = this.options;
    // What was said may be more than what came.
    const found = size > partBytes ? await this.head(from) : undefined;
    const copied = await this.unlessMissing(async (sdk, client) => {
      const source = assertKey(from);
      if (found && found.size > partBytes)
        await copyInParts(sdk, client, { bucket, from: source, to: assertKey(to), size: found.size, partBytes });
      else await client.send(new sdk.CopyObjectCommand({ ...this.at(to), CopySource: `${bucket}/${source}` }));
      return true;
    });
    return copied ?? false;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += DELETE_AT_ONCE) {
      const Objects = keys.slice(i, i + DELETE_AT_ONCE).map((key) => ({ Key: assertKey(key) }));
      await this.reliably(async (sdk, client) => {
        const command = new sdk.DeleteObjectsCommand({ Bucket: this.options.bucket, Delete: { Objects, Quiet: true } });
        const { Errors = [] } = await client.send(command);
        if (Errors.length > 0) throw new Error(`${Errors.length} objects were not deleted: ${Errors[0]?.Code}`);
      });
    }
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const Prefix = assertPrefix(prefix);
    for (let ContinuationToken: string | undefined; ;) {
      const page = await this.reliably((sdk, client) =>
        client.send(new sdk.ListObjectsV2Command({ Bucket: this.options.bucket, Prefix, ContinuationToken })),
      );
      for (const { Key, Size, LastModified } of page.Contents ?? [])
        if (Key !== undefined && isKey(Key))
          yield { key: Key, size: Size ?? 0, modifiedAt: LastModified ?? new Date(0) };
      ContinuationToken = page.NextContinuationToken;
      if (!page.IsTruncated || ContinuationToken === undefined) return;
    }
  }

  /** Asks for the bucket: whether it is there, and ours. */
  async check(): Promise<HealthReading> {
    const abortSignal = AbortSignal.timeout(CHECK_MS);
    await this.reliably((sdk, client) =>
      client.send(new sdk.HeadBucketCommand({ Bucket: this.options.bucket }), { abortSignal }),
    );
    return { state: 'healthy', observed: { driver: this.driver } };
  }

  /** Uploads in parts that nobody will finish, and copies whose process died. */
  override removeAbandoned(): Promise<void> {
    return this.parts.removeAbandoned();
  }

  override close(): void {
    void this.loaded?.then(({ client }) => client.destroy());
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.options.bucket, Key: assertKey(key) };
  }

  /** The store itself refuses another key, another type and more bytes. */
  private async post({ key, size, type, expiresInS }: UploadGrant): Promise<SignedUpload> {
    const [{ client }, { createPresignedPost }] = await Promise.all([this.sdk(), import('@aws-sdk/s3-presigned-post')]);
    const { url, fields } = await createPresignedPost(client, {
      ...this.at(key),
      Fields: { 'Content-Type': type },
      Conditions: [
        ['content-length-range', 1, size],
        ['eq', '$Content-Type', type],
      ],
      Expires: expiresInS,
    });
    return { strategy: 'post', method: 'POST', url, fields, headers: {} };
  }

  /** The length is signed, so another one does not match; stores that do not check it are checked afterwards. */
  private async putLink({ key, size, type, expiresInS }: UploadGrant): Promise<SignedUpload> {
    const [{ sdk, client }, { getSignedUrl }] = await Promise.all([
      this.sdk(),
      import('@aws-sdk/s3-request-presigner'),
    ]);
    const command = new sdk.PutObjectCommand({ ...this.at(key), ContentType: type, ContentLength: size });
    const url = await getSignedUrl(client, command, {
      expiresIn: expiresInS,
      signableHeaders: new Set(['host', 'content-length', 'content-type']),
    });
    return { strategy: 'put', method: 'PUT', url, fields: {}, headers: { 'Content-Type': type } };
  }

  private async getLink({ key, type, disposition, expiresInS }: DownloadGrant): Promise<string> {
    const [{ sdk, client }, { getSignedUrl }] = await Promise.all([
      this.sdk(),
      import('@aws-sdk/s3-request-presigner'),
    ]);
    const command = new sdk.GetObjectCommand({
      ...this.at(key),
      ResponseContentType: type,
      ResponseContentDisposition: disposition,
      ResponseCacheControl: `private, max-age=${expiresInS}, immutable`,
    });
    return getSignedUrl(client, command, { expiresIn: expiresInS });
  }

  private sdk(): Promise<{ sdk: Sdk; client: S3Client }> {
    this.loaded ??= import('@aws-sdk/client-s3').then((sdk) => {
      const { region, endpoint, pathStyle, credentials } = this.options;
      const client = new sdk.S3Client({
        region,
        forcePathStyle: pathStyle,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(credentials === undefined ? {} : { credentials }),
        maxAttempts: ATTEMPTS,
        requestHandler: {
          connectionTimeout: CONNECT_MS,
          requestTimeout: ANSWER_MS,
          socketTimeout: ANSWER_MS,
          throwOnRequestTimeout: true,
        },
        // Checksums by default break presigned links and several compatible stores.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      });
      budgetRetries(client, this.budget);
      return { sdk, client };
    });
    return this.loaded;
  }

  /** Loading and calling, unless the breaker knows better. */
  private async call<T>(work: (sdk: Sdk, client: S3Client) => Promise<T>): Promise<T> {
    const { sdk, client } = await this.sdk();
    return this.breaker ? this.breaker.run(() => work(sdk, client)) : work(sdk, client);
  }

  /** Past the breaker: nobody is asked for a signature, so it says nothing of the store. */
  private async signing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof InvalidKeyError ? error : storageDown(error);
    }
  }

  private async reliably<T>(work: (sdk: Sdk, client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await this.call(work);
    } catch (error) {
      throw error instanceof InvalidKeyError ? error : storageDown(error);
    }
  }

  private async unlessMissing<T>(work: (sdk: Sdk, client: S3Client) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.call(work);
    } catch (error) {
      const { name } = error as { name?: unknown };
      if (name === 'NoSuchKey' || name === 'NotFound') return undefined;
      throw error instanceof InvalidKeyError ? error : storageDown(error);
    }
  }
}

/** The store did not answer, or said that it cannot; everything else is its verdict on the request. */
export function isStoreFault(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === undefined || status >= 500 || status === 429;
}
