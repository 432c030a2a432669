import type { Request } from 'express';

/** The catch-all under which Nest runs its middleware; it matches everything and is no route of ours. */
const CATCH_ALL = '{/*splat}';

interface Route {
  path: string;
  methods: Record<string, boolean>;
}
interface Layer {
  route?: Route;
  match(path: string): boolean;
}

/** Pattern of the route that answers a request ('/users/:id'), undefined when there is none. */
export function matchedRoute(request: Request): string | undefined {
  const path = (request.route as Route | undefined)?.path;
  return path === CATCH_ALL ? undefined : path;
}

/** Methods that the path of an unmatched request would have been answered for; empty when there is no such path at all. */
export function allowedMethods(request: Request): string[] {
  const { stack } = (request.app as unknown as { router: { stack: Layer[] } }).router;
  const matching = stack
    .filter(({ route }) => route && route.path !== CATCH_ALL)
    .filter((layer) => layer.match(request.path));
  const methods = new Set(matching.flatMap(({ route }) => Object.keys(route?.methods ?? {})));
  return [...methods].map((method) => method.toUpperCase()).toSorted();
}
