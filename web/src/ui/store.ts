import { useCallback, useEffect, useMemo, useReducer } from 'preact/hooks';

/** Draws again whenever something that lives outside says that it changed. `read` is called at each drawing. */
export function useStore<Value>(subscribe: (listener: () => void) => () => void, read: () => Value): Value {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const drawn = read();
  useEffect(() => {
    const stop = subscribe(() => draw(undefined));
    // Changed between the drawing and this effect.
    if (read() !== drawn) draw(undefined);
    return stop;
  }, [subscribe]);
  return drawn;
}

/** Whether a media query matches now. */
export function useMedia(query: string): boolean {
  const media = useMemo(() => matchMedia(query), [query]);
  const subscribe = useCallback(
    (listener: () => void) => {
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    [media],
  );
  return useStore(subscribe, () => media.matches);
}
