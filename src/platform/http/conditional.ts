import type { Request, Response } from 'express';
import { DomainError } from '../errors/domain-error.js';

/** The opaque ETag of a resource at a revision. */
export const etagOf = (resource: string, rev: number | string): string => `"${resource}.${rev}"`;

/** Sets the ETag; true when the caller has this version already (If-None-Match) and 304 was sent. */
export function notModified(request: Request, response: Response, etag: string): boolean {
  response.setHeader('ETag', etag);
  const known = request.headers['if-none-match'];
  if (known === undefined || !matches(known, etag)) return false;
  response.status(304).end();
  return true;
}

/**
 * What `If-Match` demands: the etag to compare with, or `*`.
 * @throws precondition_required when the header is absent
 */
export function ifMatch(request: Request): string {
  const header = request.headers['if-match'];
  if (header === undefined) throw new DomainError('precondition_required');
  return header;
}

/** @throws precondition_failed when `header` (from ifMatch) does not name `etag` */
export function requireMatch(header: string, etag: string): void {
  if (!matches(header, etag)) throw new DomainError('precondition_failed');
}

const matches = (header: string, etag: string): boolean =>
  header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
