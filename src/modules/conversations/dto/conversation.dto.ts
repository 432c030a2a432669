import { z } from 'zod';
import { line, paragraph, refuse, uuid } from '../../../platform/http/text.js';
import { pageQuery } from '../../../platform/http/cursor.js';
import { conversationType, settingsView, visibility } from './conversation.view.js';

const title = line(1, 120);
const description = paragraph(0, 2000);
export const userIds = z.array(uuid).max(100);

export const createConversation = z
  .strictObject({
    type: conversationType,
    memberIds: userIds.default([]),
    title: title.nullish(),
    description: description.nullish(),
    visibility: visibility.optional(),
    settings: settingsView.partial().strict().optional(),
  })
  .superRefine((input, context) => {
    const at = (path: string, code: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message, params: { code } });
    if (input.type === 'direct') {
      for (const path of ['title', 'description', 'visibility', 'settings'] as const) {
        if (input[path] !== undefined && input[path] !== null)
          at(path, 'not_in_direct', 'A direct conversation has none');
      }
    } else if (input.title === undefined || input.title === null)
      at('title', 'required', `A ${input.type} needs a title`);
    if (input.visibility === 'public' && input.type === 'group')
      at('visibility', 'channels_only', 'Only channels can be public');
  });
export type CreateConversation = z.output<typeof createConversation>;

export const updateConversation = z
  .strictObject({
    title: title.optional(),
    description: description.nullable().optional(),
    avatarMediaId: uuid.nullable().optional(),
    visibility: visibility.optional(),
    settings: settingsView.partial().strict().optional(),
  })
  .superRefine((input, context) => {
    if (Object.keys(input).length === 0) refuse(context, 'empty', 'Nothing to change');
  });
export type UpdateConversation = z.output<typeof updateConversation>;

export const listConversations = pageQuery.extend({
  filter: z.enum(['active', 'archived', 'unread']).default('active'),
});
export type ListConversations = z.output<typeof listConversations>;

export const discoverChannels = pageQuery.extend({ query: line(0, 120).default('') });
export type DiscoverChannels = z.output<typeof discoverChannels>;
