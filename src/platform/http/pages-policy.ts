import type { Config } from '../config/config.js';

/**
 * The Content-Security-Policy of the pages: everything from here and nothing from elsewhere, no inline script or style,
 * no frame, no form. Files may live in an object store of another origin, which pages upload to and show pictures of.
 */
export function pagesPolicy(config: Config): string {
  const store = objectStoreOrigin(config);
  const files = store === undefined ? '' : ` ${store}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' blob:${files}`,
    `media-src 'self' blob:${files}`,
    `connect-src 'self'${files}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "trusted-types 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
}

/** The API reference is somebody else's script, ours only by being served from here: it writes style elements. */
export const referencePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function objectStoreOrigin(config: Config): string | undefined {
  const { S3_BUCKET_NAME: bucket, S3_ENDPOINT: endpoint, S3_FORCE_PATH_STYLE: pathStyle, AWS_REGION: region } = config;
  if (bucket === undefined) return undefined;
  const { protocol, host } = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
  return pathStyle ? `${protocol}//${host}` : `${protocol}//${bucket}.${host}`;
}
