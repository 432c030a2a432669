import { useEffect, useState } from 'preact/hooks';

type Listener = (text: string) => void;
const listeners = new Set<Listener>();

/** Has a screen reader say something at its next pause. */
export function announce(text: string): void {
  for (const listener of listeners) listener(text);
}

/** Where announcements are read from; once on each page. */
export function LiveRegion() {
  const [text, setText] = useState('');
  useEffect(() => {
    // The same text twice is no change, and would not be read again.
    const hear: Listener = (next) => setText((before) => (before === next ? `${next}\u00a0` : next));
    listeners.add(hear);
    return () => void listeners.delete(hear);
  }, []);
  return (
    <div class="hidden-visually" role="status" aria-live="polite">
      {text}
    </div>
  );
}
