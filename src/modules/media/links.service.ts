import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { epochMs } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { type SignedUpload, Storage } from '../../platform/storage/storage.js';
import type { SignedQuery, VariantName } from './dto/upload.dto.js';
import type { LinkView } from './dto/upload.view.js';
import { contentTypeOf, dispositionOf, type MediaRow, renditionOf } from './media.rules.js';
import { notFound, signatureInvalid, uploadExpired } from './media.errors.js';

/** How a client sends the bytes: as the store says, or in parts, for which it asks there. */
type UploadWay = SignedUpload | { strategy: 'multipart'; method: 'PUT'; url: string; fields: {}; headers: {} };

/** Links that let their holder send or fetch one file: at the store where it makes such links, else on Parley's own routes. */
@Injectable()
export class LinksService {
  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
    private readonly config: Config,
  ) {}

  async forUpload({
    id,
    size,
    mimeClaimed,
    storageKey,
    partBytes,
  }: Pick<MediaRow, 'id' | 'size' | 'mimeClaimed' | 'storageKey' | 'partBytes'>): Promise<UploadWay> {
    if (partBytes !== null)
      return {
        strategy: 'multipart',
        method: 'PUT',
        url: `/api/v1/media/uploads/${id}/parts`,
        fields: {},
        headers: {},
      };
    const { access } = this.storage;
    const expiresInS = this.config.MEDIA_UPLOAD_TTL;
    if (access.kind === 'direct') return access.signUpload({ key: storageKey, size, type: mimeClaimed, expiresInS });
    const url = this.sign('PUT', `/api/v1/media/files/${id}`, expiresInS);
    return { strategy: 'put', method: 'PUT', url, fields: {}, headers: { 'Content-Type': mimeClaimed } };
  }

  /** @throws not_found when there is no such rendition */
  async forDownload(row: MediaRow, variant: VariantName): Promise<LinkView> {
    const rendition = renditionOf(row, variant);
    if (!rendition) throw notFound();
    const { access } = this.storage;
    const expiresInS = this.config.MEDIA_URL_TTL;
    const expiresAt = new Date(epochMs() + expiresInS * 1000).toISOString();
    if (access.kind === 'own')
      return { url: this.sign('GET', `/api/v1/media/files/${row.id}/${variant}`, expiresInS), expiresAt };
    const url = await access.signDownload({
      key: rendition.storageKey,
      type: contentTypeOf(rendition.mime),
      disposition: dispositionOf(rendition.mime, row.name),
      expiresInS,
    });
    return { url, expiresAt };
  }

  /** @throws signature_invalid, upload_expired */
  verifyUpload(id: string, query: SignedQuery): void {
    if (!this.verify('PUT', `/api/v1/media/files/${id}`, query)) throw signatureInvalid();
    if (query.exp * 1000 <= epochMs()) throw uploadExpired();
  }

  /** @throws signature_invalid, also when it has expired */
  verifyDownload(id: string, variant: VariantName, query: SignedQuery): void {
    const path = `/api/v1/media/files/${id}/${variant}`;
    if (!this.verify('GET', path, query) || query.exp * 1000 <= epochMs()) throw signatureInvalid();
  }

  private sign(method: string, path: string, expiresInS: number): string {
    const exp = Math.ceil(epochMs() / 1000) + expiresInS;
    return `${path}?exp=${exp}&sig=${this.signature(method, path, exp)}`;
  }

  private verify(method: string, path: string, { exp, sig }: SignedQuery): boolean {
    const right = Buffer.from(this.signature(method, path, exp));
    const given = Buffer.from(sig);
    return given.length === right.length && timingSafeEqual(given, right);
  }

  private signature(method: string, path: string, exp: number): string {
    return this.box.sign('media', `${method} ${path} ${exp}`);
  }
}
