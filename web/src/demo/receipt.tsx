import type { ConversationView, ShownMessage } from '@parley/client';
import { Icon } from '../ui/icon.js';
import { useNames } from './people.js';

type Stage = 'pending' | 'sent' | 'delivered' | 'read';

/** How far an own message has got with everybody else. */
export function Receipt({ view, message }: { view: ConversationView; message: ShownMessage }) {
  const names = useNames();
  const others = view.members.filter(({ userId }) => userId !== message.senderId).map(({ userId }) => userId);
  const { seq } = message;
  // Who writes has read what stands above, and sends no receipt for it (protocol, 7.11).
  const wrote = new Map(view.timeline.map((one) => [one.senderId, one.seq ?? 0]));
  const reached = (mark: 'delivered' | 'read') =>
    seq === null ? [] : others.filter((id) => Math.max(view.receipts.get(id)?.[mark] ?? 0, wrote.get(id) ?? 0) >= seq);
  const read = reached('read');
  const stage: Stage =
    message.state !== 'sent' || seq === null
      ? 'pending'
      : others.length > 0 && read.length === others.length
        ? 'read'
        : others.length > 0 && reached('delivered').length === others.length
          ? 'delivered'
          : 'sent';
  const by = read.length > 0 && stage !== 'read' ? `, read by ${read.map(names).join(', ')}` : '';
  const label = { pending: 'Waiting to be sent', sent: 'Sent', delivered: 'Delivered', read: 'Read' }[stage] + by;
  const icon = { pending: 'clock', sent: 'check', delivered: 'doubleCheck', read: 'doubleCheck' } as const;
  return (
    <span class={`receipt ${stage}`} title={label}>
      <Icon name={icon[stage]} size={14} />
      <span class="hidden-visually">{label}</span>
    </span>
  );
}
