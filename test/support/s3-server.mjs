// An S3 server in a process of its own, so that it can be ended like a real one. Writes its port, lives until killed.
import { buildApp } from 'fauxqs';

const [bucket, port = '0'] = process.argv.slice(2);
const part = (path, name) => import(new URL(path, import.meta.resolve('fauxqs'))).then((found) => new found[name]());
const [sqsStore, snsStore, s3Store] = await Promise.all([
  part('./sqs/sqsStore.js', 'SqsStore'),
  part('./sns/snsStore.js', 'SnsStore'),
  part('./s3/s3Store.js', 'S3Store'),
]);
const app = buildApp({ logger: false, stores: { sqsStore, snsStore, s3Store } });

// What fauxqs leaves out, by docs.aws.amazon.com/AmazonS3/latest/API: ListParts and ListMultipartUploads.
const xml = (name, ...content) => `<?xml version="1.0" encoding="UTF-8"?><${name}>${content.flat().join('')}</${name}>`;
const tag = (name, value) => `<${name}>${value}</${name}>`;
const missing = { status: 404, body: xml('Error', tag('Code', 'NoSuchUpload'), tag('Message', 'unknown upload')) };

function listParts(query) {
  const upload = s3Store.multipartUploads.get(query.get('uploadId'));
  if (!upload) return missing;
  const [after, limit] = [Number(query.get('part-number-marker') ?? 0), Number(query.get('max-parts') ?? 1000)];
  const all = [...upload.parts.values()].sort((a, b) => a.partNumber - b.partNumber);
  const later = all.filter(({ partNumber }) => partNumber > after);
  const page = later.slice(0, Math.min(limit, 1000));
  const parts = page.map(({ partNumber, etag, body, lastModified }) =>
    tag(
      'Part',
      tag('PartNumber', partNumber) +
        tag('ETag', etag) +
        tag('Size', body.length) +
        tag('LastModified', lastModified.toISOString()),
    ),
  );
  const more = page.length < later.length;
  const next = more ? tag('NextPartNumberMarker', page.at(-1).partNumber) : '';
  return { status: 200, body: xml('ListPartsResult', tag('IsTruncated', more), next, parts) };
}

function listUploads(query) {
  const prefix = query.get('prefix') ?? '';
  const uploads = [...s3Store.multipartUploads.values()]
    .filter((upload) => upload.bucket === bucket && upload.key.startsWith(prefix))
    .map(({ key, uploadId, initiated }) =>
      tag('Upload', tag('Key', key) + tag('UploadId', uploadId) + tag('Initiated', initiated.toISOString())),
    );
  return { status: 200, body: xml('ListMultipartUploadsResult', tag('IsTruncated', false), uploads) };
}

app.addHook('onRequest', async (request, reply) => {
  const query = new URL(request.url, 'http://s3').searchParams;
  if (request.method !== 'GET' || !(query.has('uploadId') || query.has('uploads'))) return;
  const { status, body } = query.has('uploadId') ? listParts(query) : listUploads(query);
  return reply.code(status).header('content-type', 'application/xml').send(body);
});

s3Store.createBucket(bucket);
await app.listen({ port: Number(port), host: '127.0.0.1' });
process.stdout.write(`${app.server.address().port}\n`);
// Whoever started it may be gone without a word.
process.stdin.resume().once('end', () => process.exit());
