import { ReportCreated } from '../../src/modules/administration/administration.events.js';
import * as conversations from '../../src/modules/conversations/conversations.events.js';
import { MediaReady } from '../../src/modules/media/media.events.js';
import * as messages from '../../src/modules/messages/messages.events.js';
import { webhookEvents } from '../../src/modules/notifications/dto/webhook-event.view.js';
import { HealthAlertChanged } from '../../src/modules/operations/operations.events.js';
import * as users from '../../src/modules/users/users.events.js';

const place = { id: 'm', conversationId: 'c', seq: 1, rev: 1 };
const alert = {
  id: 'a',
  metric: 'm',
  level: 'warning',
  change: 'opened',
  replicaId: null,
  value: 2,
  threshold: 1,
} as const;
const report = { reporterId: 'u', messageId: null, userId: 'u', reason: 'spam' };
const events = [
  new users.UserCreated('u'),
  new users.UserUpdated('u', 1),
  new users.UserDeleted('u'),
  new conversations.ConversationCreated('c', 1, 'u', 'group'),
  new conversations.ConversationUpdated('c', 1, 'u'),
  new conversations.ConversationDeleted('c', 1, 'u'),
  new conversations.MemberAdded('c', 1, 'u', ['u'], 'added'),
  new conversations.MemberRemoved('c', 1, 'u', 'u'),
  new conversations.MemberUpdated('c', 1, 'u', 'u'),
  new messages.MessageCreated(place),
  new messages.MessageUpdated(place),
  new messages.MessageDeleted(place),
  new messages.ReactionChanged(place),
  new messages.CallUpdated(place, { callId: 'x', state: 'ringing' }),
  new MediaReady('f', 'u'),
  new ReportCreated('r', report),
  new HealthAlertChanged(alert),
];

// The modules that tell know nothing of webhooks, and webhooks know them by topic alone: only here do both meet.
it('the catalogue of webhooks says what their data has', () => {
  const told = Object.fromEntries(events.map((event) => [event.topic, Object.keys(event.payload())]));
  const { 'webhook.test': _ofTheEndpoint, ...catalogue } = webhookEvents;
  expect(Object.fromEntries(Object.entries(catalogue).map(([type, [, data]]) => [type, [...data]]))).toEqual(told);
});
