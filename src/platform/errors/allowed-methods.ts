import type { Request } from 'express';

interface Layer {
  route?: { methods: Record<string, boolean> };
  match(path: string): boolean;
}

/** Methods that the path of an unmatched request would have been answered for; empty when there is no such path at all. */
export function allowedMethods(request: Request): string[] {
  const { stack } = (request.app as unknown as { router: { stack: Layer[] } }).router;
  const matching = stack.filter((layer) => layer.route && layer.match(request.path));
  const methods = new Set(matching.flatMap(({ route }) => Object.keys(route?.methods ?? {})));
  methods.delete('_all');
  return [...methods].map((method) => method.toUpperCase()).toSorted();
}
