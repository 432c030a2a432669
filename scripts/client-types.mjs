#!/usr/bin/env node
// Writes client/src/generated/contract.ts from the schemas by which the compiled server checks and answers requests.
// Usage: node scripts/client-types.mjs [--check]   (after `npm run build`)
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'prettier';
import { z } from 'zod';
import { root } from './node-runtime.mjs';

const target = join(root, 'client/src/generated/contract.ts');

/** What the server answers: file below dist/modules, export, name in the client. */
const answers = [
  ['users/dto/user.view.js', { userView: 'User', selfView: 'Self' }],
  ['users/dto/session.view.js', { tokensView: 'Tokens', authResultView: 'AuthResult', sessionView: 'AuthSession' }],
  ['users/dto/preferences.view.js', { preferences: 'Preferences' }],
  ['users/dto/otp.view.js', { otpRequestedView: 'OtpRequested' }],
  ['conversations/dto/me.view.js', { meView: 'Me' }],
  ['conversations/dto/member.view.js', { memberView: 'Member' }],
  ['conversations/dto/member.dto.js', { addMembersAnswer: 'AddMembersAnswer' }],
  [
    'conversations/dto/conversation.view.js',
    {
      settingsView: 'ConversationSettings',
      conversationView: 'Conversation',
      conversationDetailView: 'ConversationDetail',
      publicChannelView: 'PublicChannel',
    },
  ],
  [
    'conversations/dto/invite.view.js',
    { inviteView: 'Invite', newInviteView: 'NewInvite', invitePreview: 'InvitePreview', joinedView: 'Joined' },
  ],
  ['conversations/dto/draft.view.js', { draftView: 'Draft' }],
  ['conversations/dto/unread.view.js', { unreadTotals: 'UnreadTotals', unreadExplanation: 'UnreadExplanation' }],
  ['media/dto/media.view.js', { mediaView: 'Media' }],
  ['media/dto/attachment.view.js', { attachmentView: 'Attachment' }],
  ['media/dto/upload.view.js', { uploadView: 'Upload', partsView: 'Parts', linkView: 'MediaLink' }],
  ['messages/dto/thread.view.js', { threadView: 'Thread', threadDetailView: 'ThreadDetail' }],
  ['messages/dto/thread.dto.js', { threadReadView: 'ThreadRead' }],
  ['messages/dto/call.view.js', { callView: 'Call' }],
  ['messages/dto/message.view.js', { reactionView: 'Reaction', messageView: 'Message' }],
  ['messages/dto/change-message.dto.js', { changedView: 'MessageChanged', reactionsView: 'Reactions' }],
  ['messages/dto/history.dto.js', { headView: 'Head', historyView: 'History' }],
  ['messages/dto/search.dto.js', { searchHitView: 'SearchHit' }],
  ['messages/dto/scheduled.view.js', { scheduledView: 'Scheduled' }],
  [
    'messages/dto/sync.dto.js',
    {
      changeView: 'ChangeRow',
      userChangeView: 'UserChangeRow',
      changesView: 'ChangesAnswer',
      userChangesView: 'UserChangesAnswer',
      syncEntryView: 'SyncEntry',
      syncView: 'SyncAnswer',
    },
  ],
];

/** What clients send. */
const requests = [
  ['users/dto/sign-in.dto.js', { register: 'Register', login: 'Login' }],
  ['users/dto/otp.dto.js', { requestOtp: 'RequestOtp', verifyOtp: 'VerifyOtp' }],
  ['users/dto/profile.dto.js', { updateProfile: 'UpdateProfile' }],
  [
    'conversations/dto/conversation.dto.js',
    { createConversation: 'CreateConversation', updateConversation: 'UpdateConversation' },
  ],
  ['conversations/dto/member.dto.js', { updateMe: 'UpdateMe' }],
  ['conversations/dto/invite.dto.js', { createInvite: 'CreateInvite' }],
  ['conversations/dto/draft.dto.js', { putDraft: 'PutDraft' }],
  ['conversations/dto/receipt.dto.js', { receiptCommand: 'ReceiptCommand' }],
  ['messages/dto/send-message.dto.js', { sendMessageBody: 'SendFields', sendMessage: 'SendCommand' }],
  [
    'messages/dto/change-message.dto.js',
    {
      editMessageBody: 'EditFields',
      editMessage: 'EditCommand',
      deleteMessage: 'DeleteCommand',
      setReaction: 'ReactionCommand',
    },
  ],
  ['media/dto/upload.dto.js', { createUpload: 'CreateUpload' }],
  ['messages/dto/thread.dto.js', { createThread: 'CreateThread' }],
  ['messages/dto/scheduled.dto.js', { createScheduled: 'CreateScheduled' }],
  ['messages/dto/call.dto.js', { startCall: 'StartCall', callCommand: 'CallCommand', callSignal: 'CallSignalCommand' }],
  [
    'messages/dto/sync.dto.js',
    { syncRequest: 'SyncRequest', changesRequest: 'ChangesRequest', userChangesRequest: 'UserChangesRequest' },
  ],
];

/** The JSON schemas of a table, by name; a named schema inside another is a reference. */
async function schemasOf(table, io) {
  const registry = z.registry();
  for (const [file, names] of table) {
    const path = join(root, 'dist/modules', file);
    if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first`);
    const exported = await import(pathToFileURL(path).href);
    for (const [name, id] of Object.entries(names)) {
      if (exported[name] === undefined) throw new Error(`${file} exports no ${name}`);
      registry.add(exported[name], { id });
    }
  }
  return z.toJSONSchema(registry, { io, unrepresentable: 'any' }).schemas;
}

/** A JSON schema as a TypeScript type. `named` are the types that exist by name. */
function typeOf(schema, named) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1);
    return named.has(name) ? name : 'unknown';
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const union = schema.anyOf ?? schema.oneOf;
  if (union !== undefined) return [...new Set(union.map((part) => typeOf(part, named)))].join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map((part) => `(${typeOf(part, named)})`).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, named)).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      if (schema.prefixItems) return `[${schema.prefixItems.map((item) => typeOf(item, named)).join(', ')}]`;
      return `(${typeOf(schema.items ?? {}, named)})[]`;
    case 'object':
      return objectOf(schema, named);
    default:
      return 'unknown';
  }
}

function objectOf({ properties, required = [], additionalProperties }, named) {
  if (properties === undefined) return `Record<string, ${typeOf(additionalProperties ?? {}, named)}>`;
  const members = Object.entries(properties).map(([name, schema]) => {
    const type = typeOf(schema, named);
    return required.includes(name) ? `${name}: ${type};` : `${name}?: ${type} | undefined;`;
  });
  return `{ ${members.join('\n')} }`;
}

function declarationsOf(schemas) {
  const named = new Set(Object.keys(schemas).filter((name) => name !== '__shared'));
  return [...named].map((name) => `export type ${name} = ${typeOf(schemas[name], named)};`);
}

const source = [
  '// Written by scripts/client-types.mjs from the schemas of the server. Do not edit: `npm run client:types`.',
  ...declarationsOf(await schemasOf(answers, 'output')),
  ...declarationsOf(await schemasOf(requests, 'input')),
].join('\n\n');
const text = await format(source, { parser: 'typescript', singleQuote: true, printWidth: 120, trailingComma: 'all' });

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error('client/src/generated/contract.ts differs from the schemas: run `npm run client:types`');
  process.exitCode = 1;
}
