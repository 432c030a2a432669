import type { Request, Response } from 'express';
import { notFound } from '../errors/domain-error.js';
import { notModified } from './conditional.js';
import type { Coding, PageFile } from './pages.js';

/** Sends a file of a page, coded as the browser likes it, or 304. @throws not_found */
export function sendPage(file: PageFile | undefined, caching: string, request: Request, response: Response): void {
  if (!file) throw notFound();
  response.setHeader('Cache-Control', caching);
  response.setHeader('Vary', 'Accept-Encoding');
  const coding = codingFor(request, file);
  if (notModified(request, response, `"${file.etag}.${coding}"`)) return;
  response.setHeader('Content-Type', file.type);
  if (coding !== 'identity') response.setHeader('Content-Encoding', coding);
  response.end(file.bodies[coding]);
}

/** The smallest the browser can read, in whatever order it names them. */
function codingFor(request: Request, { bodies }: PageFile): Coding {
  const compressed = ['br', 'gzip'] as const;
  return compressed.find((coding) => bodies[coding] && request.acceptsEncodings([coding]) === coding) ?? 'identity';
}
