import { useStore } from '../ui/store.js';

/** What the side panel tells: something that happened to somebody, in order. */
export interface Entry {
  id: number;
  at: number;
  /** Empty where it is about the server. */
  who: string;
  kind: 'info' | 'good' | 'bad';
  text: string;
}

const KEPT = 60;
let entries: readonly Entry[] = [];
let count = 0;
const listeners = new Set<() => void>();

export function note(who: string, kind: Entry['kind'], text: string): void {
  entries = [{ id: ++count, at: Date.now(), who, kind, text }, ...entries].slice(0, KEPT);
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** Newest first. */
export const useJournal = (): readonly Entry[] => useStore(subscribe, () => entries);
