/**
 * What an endpoint can subscribe to: each is the topic of an event, with when it is sent and what its `data` has (ids and
 * positions, never bodies). The catalogue in docs/guides/events.md.
 */
export const webhookEvents = {
  'user.created': ['an account was made', ['userId']],
  'user.updated': ['the profile or the state of a user changed', ['userId', 'rev']],
  'user.deleted': ['a user deleted the account', ['userId']],
  'conversation.created': ['a conversation was made', ['conversationId', 'rev', 'actorId', 'type']],
  'conversation.updated': ['title, settings or picture changed', ['conversationId', 'rev', 'actorId']],
  'conversation.deleted': ['everybody has lost access', ['conversationId', 'rev', 'actorId']],
  'member.added': ['users became members', ['conversationId', 'rev', 'actorId', 'userIds', 'entrance']],
  'member.removed': ['a member left, or was removed by `actorId`', ['conversationId', 'rev', 'actorId', 'userId']],
  'member.updated': ['a member has another role', ['conversationId', 'rev', 'actorId', 'userId']],
  'message.created': ['a message was sent', ['id', 'conversationId', 'seq', 'rev']],
  'message.updated': ['it was edited or pinned, or its files changed', ['id', 'conversationId', 'seq', 'rev']],
  'message.deleted': ['it was deleted', ['id', 'conversationId', 'seq', 'rev']],
  'reaction.changed': ['somebody reacted to it', ['id', 'conversationId', 'seq', 'rev']],
  'call.updated': ['a call went on', ['id', 'conversationId', 'seq', 'rev', 'callId', 'state']],
  'media.ready': ['a file passed every check', ['mediaId', 'ownerId']],
  'report.created': ['a message or a user was reported', ['reportId', 'reporterId', 'messageId', 'userId', 'reason']],
  'health.alert': [
    'an alert opened, changed its level or was resolved',
    ['id', 'metric', 'level', 'change', 'replicaId', 'value', 'threshold'],
  ],
  'webhook.test': ['somebody asked for it', ['endpointId']],
} as const satisfies Record<string, readonly [when: string, data: readonly string[]]>;
export const webhookTypes = Object.keys(webhookEvents) as (keyof typeof webhookEvents)[];
