import { Injectable, type OnModuleInit, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { POLICY, type RoutePolicy } from './auth.decorator.js';

const PATH = 'path';
const METHOD = 'method';

/** One route with what it demands; the authorization matrix is generated from these. */
export interface RouteInfo {
  method: string;
  path: string;
  handler: string;
  policy: RoutePolicy;
}

/** Refuses to start with a route that says nothing about who may call it. */
@Injectable()
export class PolicyCheck implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    const open = this.routes().filter((route) => (route.policy as RoutePolicy | undefined) === undefined);
    if (open.length === 0) return;
    const list = open.map((route) => `${route.method} ${route.path} (${route.handler})`).join(', ');
    throw new Error(`routes without a policy: ${list}; add @Public, @Authenticated, @Requires or @Guarded`);
  }

  routes(): RouteInfo[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      if (!metatype) return [];
      const prototype = metatype.prototype as Record<string, () => unknown>;
      const bases = [Reflect.getMetadata(PATH, metatype) as string | string[] | undefined].flat();
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name];
        const paths = handler && (Reflect.getMetadata(PATH, handler) as string | string[] | undefined);
        if (!handler || paths === undefined) return [];
        const method = RequestMethod[Reflect.getMetadata(METHOD, handler) as number] ?? 'GET';
        const policy = this.reflector.getAllAndOverride<RoutePolicy>(POLICY, [handler, metatype]);
        return bases.flatMap((base) =>
          [paths]
            .flat()
            .map((path) => ({ method, path: join(base ?? '', path), handler: `${metatype.name}.${name}`, policy })),
        );
      });
    });
  }
}

const join = (...parts: string[]): string =>
  `/${parts
    .flatMap((part) => part.split('/'))
    .filter(Boolean)
    .join('/')}`;
