import { Icon, type IconName } from '../ui/icon.js';
import type { Level } from './types.js';

const icons: Record<Level, IconName> = { ok: 'check', warn: 'warning', bad: 'warning', unknown: 'clock' };

/** A state by colour, shape and word: no one of them alone. */
export function State({ level, children }: { level: Level; children: string }) {
  return (
    <span class={`state ${level}`}>
      <Icon name={icons[level]} size={14} />
      {children}
    </span>
  );
}
