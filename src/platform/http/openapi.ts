import type { INestApplication } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { z } from 'zod';
import { POLICY, type RoutePolicy } from '../auth/auth.decorator.js';
import { errorCodes } from '../errors/error-codes.js';
import { RETURNS, type Returned } from './returns.decorator.js';
import { UNDOCUMENTED } from './undocumented.decorator.js';

/** The names of the schemas that stand once under components and are referred to from everywhere else. */
export type SchemaNames = z.core.$ZodRegistry<{ id: string }>;
const noNames: SchemaNames = z.registry();
/** On the schema of a body that may be absent, until the document is whole. */
const OPTIONAL = 'x-optional';

/**
 * What is sent back refers to named schemas. What comes in does not: a schema may read more than it writes (defaults,
 * transforms), and a query has to be a plain list of parameters.
 */
function toJsonSchema(schema: z.ZodType, io: 'input' | 'output', names: SchemaNames) {
  const { properties = {}, $defs = {} } = z.toJSONSchema(z.object({ root: schema }), {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    reused: 'inline',
    metadata: io === 'output' ? names : noNames,
  });
  const components = Object.fromEntries(
    Object.entries($defs).map(([name, { id: _named, ...definition }]) => [name, definition]),
  );
  const mark = io === 'input' && schema.safeParse(undefined).success ? { [OPTIONAL]: true } : {};
  return { schema: { ...json(properties['root'] as object), ...mark }, components: json(components) };
}

/** zod names a recursive schema by number; ours has one, any JSON value. */
const json = <T>(schema: T): T => JSON.parse(JSON.stringify(schema).replaceAll('__schema0', 'Json')) as T;

/** The OpenAPI 3.1 document of an application that was created but not initialised: made from the schemas that validate requests. */
export async function createOpenApi(
  app: INestApplication,
  version: string,
  names: SchemaNames = noNames,
): Promise<object> {
  const { ApiBearerAuth, ApiExcludeEndpoint, ApiResponse, DocumentBuilder, SwaggerModule } =
    await import('@nestjs/swagger');
  const reflector = new Reflector();
  for (const { metatype } of app.get(DiscoveryService, { strict: false }).getControllers()) {
    if (!metatype) continue;
    const prototype = metatype.prototype as object;
    for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      const handler = descriptor?.value as ((...args: unknown[]) => unknown) | undefined;
      if (!descriptor || typeof handler !== 'function') continue;
      const returned = Reflect.getMetadata(RETURNS, handler) as Returned | undefined;
      if (returned) ApiResponse(responseOptions(returned) as never)(prototype, name, descriptor);
      if (reflector.getAllAndOverride<boolean | undefined>(UNDOCUMENTED, [handler, metatype]))
        ApiExcludeEndpoint()(prototype, name, descriptor);
      const policy = reflector.getAllAndOverride<RoutePolicy | undefined>(POLICY, [handler, metatype]);
      if (policy === 'user' || typeof policy === 'object') ApiBearerAuth()(prototype, name, descriptor);
    }
  }
  const config = new DocumentBuilder()
    .setTitle('Parley')
    .setDescription('Users, conversations, messages, presence, media and notifications.')
    .setVersion(version)
    .setOpenAPIVersion('3.1.0')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    standardSchemaConverter: (schema: unknown, { schemaType }: { schemaType: 'input' | 'output' }) =>
      toJsonSchema(schema as z.ZodType, schemaType, names),
    operationIdFactory: (controller: string, method: string) => `${controller.replace(/Controller$/, '')}.${method}`,
  } as never);
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Problem: problemSchema as never };
  document.components.responses = { Problem: problemResponse };
  for (const path of Object.values(document.paths))
    for (const operation of Object.values(path as Record<string, Operation>)) {
      if (operation.responses) operation.responses['default'] = { $ref: '#/components/responses/Problem' };
      for (const { schema } of Object.values(operation.requestBody?.content ?? {}))
        if (schema && OPTIONAL in schema) {
          delete schema[OPTIONAL];
          delete operation.requestBody?.required;
        }
    }
  return document;
}

interface Operation {
  responses?: Record<string, object>;
  requestBody?: { required?: boolean; content: Record<string, { schema?: Record<string, unknown> }> };
}

const responseOptions = ({ status, schema }: Returned) => ({
  status,
  description: schema ? 'Success' : 'Success, no body',
  ...(schema ? { standardSchema: schema } : {}),
});

const problemResponse = {
  description: 'A problem',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const problemSchema = {
  type: 'object',
  description: 'RFC 9457 problem details',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId', 'errors'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string', enum: Object.keys(errorCodes) },
    requestId: { type: 'string' },
    retryAfterMs: { type: 'integer' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};
