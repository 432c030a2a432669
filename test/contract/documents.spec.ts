import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import asyncApiSchemas from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { createTestApp, type TestApp } from '../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app.close());

const get = async <T>(path: string): Promise<T> => (await fetch(`${app.url}${path}`)).json() as Promise<T>;
/** Where a reference of the document leads; undefined when nowhere. */
const resolve = (document: unknown, reference: string): unknown =>
  reference
    .replace(/^#\//, '')
    .split('/')
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], document);
const references = (document: unknown): string[] =>
  [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference);

interface Operation {
  operationId: string;
  requestBody?: { required?: boolean };
  responses: Record<string, unknown>;
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

describe('openapi.json', () => {
  it('is a valid OpenAPI 3.1 document whose references lead somewhere', async () => {
    const document = await get<OpenApi>('/openapi.json');
    const { valid, errors } = await new Validator().validate(
      structuredClone(document) as unknown as Record<string, unknown>,
    );
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    for (const reference of references(document))
      expect([reference, resolve(document, reference)]).not.toContain(undefined);
  });

  it('says each view once: no component is without a user, no operation without its problem, no id twice', async () => {
    const document = await get<OpenApi>('/openapi.json');
    const used = new Set(references(document));
    for (const name of Object.keys(document.components.schemas)) expect(used).toContain(`#/components/schemas/${name}`);
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    for (const { responses } of operations)
      expect(responses['default']).toEqual({ $ref: '#/components/responses/Problem' });
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(JSON.stringify(document).length).toBeLessThan(400_000);
  });

  it('asks for a body where none would be refused, and nowhere else', async () => {
    const { paths } = await get<OpenApi>('/openapi.json');
    const needed = (path: string, method: string) => paths[path]?.[method]?.requestBody?.required ?? false;
    const bare = (path: string, method: string) => fetch(`${app.url}${path}`, { method });
    expect(needed('/api/v1/auth/login', 'post')).toBe(true);
    expect((await bare('/api/v1/auth/login', 'POST')).status).toBe(400);
    const admin = ['/api/v1/admin/conversations/{id}', '/api/v1/admin/media/{id}', '/api/v1/users/me'];
    for (const path of admin) expect([path, needed(path, 'delete')]).toEqual([path, false]);
    expect(needed('/api/v1/admin/verify', 'post')).toBe(false);
    expect(JSON.stringify(paths)).not.toContain('x-optional');
  });
});

it('asyncapi.json is a valid AsyncAPI 3 document whose references lead somewhere', async () => {
  const document = await get<object>('/asyncapi.json');
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const accepts = ajv.compile(
    (asyncApiSchemas as { schemasWithoutId: Record<string, object> }).schemasWithoutId['3.0.0'] ?? {},
  );
  accepts(document);
  expect(accepts.errors ?? []).toEqual([]);
  for (const reference of references(document))
    expect([reference, resolve(document, reference)]).not.toContain(undefined);
});

it('llms.txt names every route and every socket command and event', async () => {
  const text = await (await fetch(`${app.url}/llms.txt`)).text();
  expect(text).toBe(readFileSync(join(import.meta.dirname, '../../docs/llms.txt'), 'utf8'));
  const { paths } = await get<OpenApi>('/openapi.json');
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods)) expect(text).toContain(`- ${method.toUpperCase()} ${path}`);
  const { components } = await get<{ components: { messages: Record<string, { name: string }> } }>('/asyncapi.json');
  for (const { name } of Object.values(components.messages)) expect(text).toContain(`- ${name}`);
});

it('DOCS_ENABLED=false: none of it is there', async () => {
  const silent = await createTestApp({ DOCS_ENABLED: 'false' }, { databaseUrl: app.databaseUrl });
  try {
    for (const path of [
      '/openapi.json',
      '/asyncapi.json',
      '/llms.txt',
      '/docs',
      '/docs/sockets',
      '/docs/pages.css',
      '/docs/api-reference.js',
    ])
      expect([path, (await fetch(`${silent.url}${path}`)).status]).toEqual([path, 404]);
  } finally {
    await silent.close();
  }
});
