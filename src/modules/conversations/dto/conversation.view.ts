import { createHash } from 'node:crypto';
import { z } from 'zod';
import { etagOf } from '../../../platform/http/conditional.js';
import type { ConversationRow } from '../conversations.repository.js';
import type { Settings } from '../conversations.rules.js';
import { meView } from './me.view.js';

const id = z.uuid();
const time = z.iso.datetime();
const number = z.number().int().nonnegative();

export const conversationType = z.enum(['direct', 'group', 'channel']);
export const visibility = z.enum(['private', 'public']);

/** Who may do what: `member` is everybody, `admin` admins and owners. */
export const settingsView = z.object({
  whoCanPost: z.enum(['member', 'admin']),
  whoCanInvite: z.enum(['member', 'admin']),
  whoCanPin: z.enum(['member', 'admin']),
  whoCanMentionAll: z.enum(['member', 'admin']),
  /** What later members see of what was written before them. */
  historyForNewMembers: z.enum(['all', 'none']),
  /** Seconds between two messages of one member; 0 is off. */
  slowModeSec: z.number().int().min(0).max(3600),
}) satisfies z.ZodType<Settings>;

/** A conversation as every member sees it: `v` of a `conversation` change. */
export const conversationView = z.object({
  id,
  type: conversationType,
  title: z.string().nullable(),
  description: z.string().nullable(),
  avatarMediaId: id.nullable(),
  visibility,
  settings: settingsView,
  createdBy: id,
  createdAt: time,
  updatedAt: time,
  deletedAt: time.nullable(),
  rev: number,
});
export type ConversationView = z.output<typeof conversationView>;

/** What REST and sync add for the reader. */
export const conversationDetailView = conversationView.extend({
  memberCount: number,
  head: z.object({ seq: number, rev: number }),
  me: meView,
});
export type ConversationDetailView = z.output<typeof conversationDetailView>;

/** A public channel in the directory; the reader need not be a member. */
export const publicChannelView = conversationView.extend({ memberCount: number });
export type PublicChannelView = z.output<typeof publicChannelView>;

export const toConversationView = (row: ConversationRow): ConversationView => ({
  id: row.id,
  type: row.type,
  title: row.title,
  description: row.description,
  avatarMediaId: row.avatarMediaId,
  visibility: row.visibility,
  settings: row.settings,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  deletedAt: row.deletedAt?.toISOString() ?? null,
  rev: row.rev,
});

/** What If-Match compares: the conversation itself, which a new message does not change. */
export const conversationEtag = ({ id, rev }: { id: string; rev: number }): string => etagOf(`c-${id}`, rev);

/** What If-None-Match compares: the same with all that depends on the reader and on messages. */
export const detailEtag = (view: ConversationDetailView): string => {
  const rest = JSON.stringify([view.memberCount, view.head, view.me]);
  return etagOf(`c-${view.id}`, `${view.rev}.${createHash('sha256').update(rest).digest('base64url').slice(0, 16)}`);
};

/** An If-Match header whose etags came from `detailEtag`, cut down to what `conversationEtag` compares. */
export const editableMatch = (header: string): string =>
  header.replaceAll(/("c-[0-9a-f-]{36}\.\d+)\.[\w-]{16}"/g, '$1"');
