import { DiscoveryService } from '@nestjs/core';
import { z } from 'zod';
import { PolicyCheck, type RouteInfo } from '../../src/platform/auth/policy-check.js';
import { type Returned, RETURNS } from '../../src/platform/http/returns.decorator.js';
import type { TestApp } from '../support/app.js';

export interface Route extends RouteInfo {
  /** `GET /api/v1/users/me` */
  name: string;
  body: z.ZodType | undefined;
  query: z.ZodType | undefined;
  returned: Returned | undefined;
}

const [BODY, QUERY] = ['3', '4'];

/** Every route of the application with the schemas that its handler wears. */
export function routesOf({ app: { nest } }: TestApp): Route[] {
  const controllers = new Map(
    nest
      .get(DiscoveryService, { strict: false })
      .getControllers()
      .flatMap(({ metatype }) => (metatype ? [[metatype.name, metatype] as const] : [])),
  );
  return nest
    .get(PolicyCheck)
    .routes()
    .map((route) => {
      const [controller = '', method = ''] = route.handler.split('.');
      const metatype = controllers.get(controller);
      if (!metatype) throw new Error(`no controller ${controller}`);
      const handler = (metatype.prototype as Record<string, object>)[method] ?? {};
      const given = (Reflect.getMetadata('__routeArguments__', metatype, method) ?? {}) as Record<
        string,
        { schema?: z.ZodType }
      >;
      const schemaOf = (kind: string | undefined) =>
        Object.entries(given).find(([key]) => key.startsWith(`${kind}:`))?.[1].schema;
      return {
        ...route,
        name: `${route.method} ${route.path}`,
        body: schemaOf(BODY),
        query: schemaOf(QUERY),
        returned: Reflect.getMetadata(RETURNS, handler) as Returned | undefined,
      };
    });
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  type?: string | string[];
}

export const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as JsonSchema;

const partsOf = ({ anyOf = [], oneOf = [], allOf = [] }: JsonSchema): JsonSchema[] => [...anyOf, ...oneOf, ...allOf];

/** Paths of all members an answer can have: `items[].id`, and `data.*` where the keys are anybody's. */
export function memberPaths(schema: JsonSchema, path = ''): string[] {
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const inner = memberPaths(member, below(name));
    return inner.length > 0 ? inner : [below(name)];
  });
  const any = typeof schema.additionalProperties === 'object' || isAnything(schema) ? [below('*')] : [];
  const items = schema.items ? memberPaths(schema.items, `${path}[]`) : [];
  return [...new Set([...members, ...any, ...items, ...partsOf(schema).flatMap((part) => memberPaths(part, path))])];
}

const isAnything = (schema: JsonSchema): boolean =>
  Object.keys(schema).every((key) => ['description', 'title', 'default'].includes(key));

/** The objects of a schema that take members nobody knows. */
export function openObjects(schema: JsonSchema, path = ''): string[] {
  const inner = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, member]) => openObjects(member, `${path}.${name}`)),
    ...(schema.items ? openObjects(schema.items, `${path}[]`) : []),
    ...partsOf(schema).flatMap((part) => openObjects(part, path)),
  ];
  const isObject = schema.type === 'object' || schema.properties !== undefined;
  return isObject && schema.additionalProperties !== false ? [path || '.', ...inner] : inner;
}
