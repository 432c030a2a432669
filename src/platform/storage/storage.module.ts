import { Module } from '@nestjs/common';
import { Config } from '../config/config.js';
import { DiskStorage } from './disk-storage.driver.js';
import { Breakers } from '../lifecycle/breakers.js';
import { isStoreFault, S3Storage } from './s3-storage.driver.js';
import { Storage } from './storage.js';
import { StorageHealth } from './storage-health.js';

/** S3 where a bucket is named, else the disk. */
export function createStorage(config: Config, breakers: Breakers): Storage {
  if (config.S3_BUCKET_NAME === undefined) return new DiskStorage(config.MEDIA_DIR);
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = config;
  const options = {
    bucket: config.S3_BUCKET_NAME,
    region: config.AWS_REGION,
    endpoint: config.S3_ENDPOINT,
    pathStyle: config.S3_FORCE_PATH_STYLE,
    upload: config.S3_UPLOAD,
    multipartBytes: config.S3_MULTIPART_BYTES,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey },
  };
  return new S3Storage(options, breakers.of('storage', isStoreFault));
}

@Module({
  providers: [{ provide: Storage, useFactory: createStorage, inject: [Config, Breakers] }, StorageHealth],
  exports: [Storage, StorageHealth],
})
export class StorageModule {}
