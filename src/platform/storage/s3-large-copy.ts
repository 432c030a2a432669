import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';

type Sdk = typeof import('@aws-sdk/client-s3');

export interface LargeCopy {
  bucket: string;
  from: string;
  to: string;
  /** Bytes. */
  size: number;
  partBytes: number;
}

const AT_ONCE = 4;

/**
 * Copies an object within a bucket in parts, several at once: each is answered within seconds, however large the whole is.
 * Of a copy that fails nothing stays behind; of one whose process dies, parts that a lifecycle rule of the bucket removes.
 */
export async function copyInParts(sdk: Sdk, client: S3Client, copy: LargeCopy): Promise<void> {
  const { bucket: Bucket, from, to: Key, size, partBytes } = copy;
  const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key }));
  try {
    const Parts: CompletedPart[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let index = next++; index * partBytes < size; index = next++) {
        const last = Math.min(size, (index + 1) * partBytes) - 1;
        const { CopyPartResult } = await client.send(
          new sdk.UploadPartCopyCommand({
            Bucket,
            Key,
            UploadId,
            PartNumber: index + 1,
            CopySource: `${Bucket}/${from}`,
            CopySourceRange: `bytes=${index * partBytes}-${last}`,
          }),
        );
        Parts[index] = { PartNumber: index + 1, ETag: CopyPartResult?.ETag };
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    await client.send(new sdk.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  } catch (error) {
    await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
    throw error;
  }
}
