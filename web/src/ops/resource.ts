import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useState } from 'preact/hooks';
import { type Operator, ParleyError } from './session.js';

/** What a route last answered. It stays when a later answer is missing: old figures say more than none. */
export interface Resource<Answer> {
  data: Answer | undefined;
  /** When `data` came. */
  at: number | undefined;
  /** Why the latest attempt failed. */
  error: ParleyError | undefined;
  refresh: () => void;
}

export const OperatorContext = createContext<Operator | undefined>(undefined);

export function useOperator(): Operator {
  const operator = useContext(OperatorContext);
  if (!operator) throw new Error('nobody is signed in');
  return operator;
}

/** Asks again and again while the page is looked at. `read` must be the same function at each drawing. */
export function useResource<Answer>(read: (operator: Operator) => Promise<Answer>, everyMs: number): Resource<Answer> {
  const operator = useOperator();
  const [state, setState] = useState<Omit<Resource<Answer>, 'refresh'>>({
    data: undefined,
    at: undefined,
    error: undefined,
  });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      clearTimeout(timer);
      if (!document.hidden) {
        try {
          const data = await read(operator);
          if (!stopped) setState({ data, at: Date.now(), error: undefined });
        } catch (thrown) {
          const error = thrown instanceof ParleyError ? thrown : undefined;
          if (!stopped) setState((before) => ({ ...before, error }));
        }
      }
      if (!stopped) timer = setTimeout(() => void ask(), everyMs);
    };
    const onVisible = () => !document.hidden && void ask();
    document.addEventListener('visibilitychange', onVisible);
    void ask();
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [operator, read, everyMs, round]);
  const refresh = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, refresh };
}
