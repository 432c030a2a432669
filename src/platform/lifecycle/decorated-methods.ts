/** A method that carries metadata of a decorator. */
export interface DecoratedMethod<Value> {
  /** Class and method, for logs. */
  name: string;
  value: Value;
  /** The method itself, for further metadata. */
  handler: (...args: unknown[]) => unknown;
  call: (...args: unknown[]) => unknown;
}

/**
 * The methods of an instance's own class that carry metadata under `key`. Looks at own property descriptors only: a scan
 * of every provider must neither run getters nor cost a walk up each prototype chain.
 */
export function decoratedMethods<Value>(instance: unknown, key: string): DecoratedMethod<Value>[] {
  if (typeof instance !== 'object' || instance === null) return [];
  const prototype = Object.getPrototypeOf(instance) as object | null;
  if (!prototype || prototype === Object.prototype) return [];
  return Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([method, { value: handler }]) => {
    if (typeof handler !== 'function') return [];
    const value = Reflect.getOwnMetadata(key, handler) as Value | undefined;
    if (value === undefined) return [];
    const bound = handler as (...args: unknown[]) => unknown;
    const name = `${instance.constructor.name}.${method}`;
    return [{ name, value, handler: bound, call: (...args) => bound.apply(instance, args) }];
  });
}
