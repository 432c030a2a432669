import { randomUUID } from 'node:crypto';
import { type Cast, made, type Persona, type Scene } from './world.js';

type Payload = (cast: Cast, scene: Scene, persona: Persona) => unknown;

const call = async ({ people }: Cast, { conversationId }: Scene): Promise<unknown> =>
  (
    await made(people.owner, `/api/v1/conversations/${conversationId}/calls`, {
      clientId: randomUUID(),
      media: 'audio',
    })
  )['id'];
const inCall: Payload = async (cast, scene) => ({ callId: await call(cast, scene) });

/** A valid payload of every event, about a conversation made for it. */
export const commands: Record<string, Payload> = {
  // The token of somebody else, except for the owner.
  'auth.refresh': ({ people }) => ({ token: people.owner.accessToken }),
  receipt: (_, { conversationId: c }) => ({ c, read: 1 }),
  'message.send': (_, { conversationId: c }) => ({ c, clientId: randomUUID(), body: 'text' }),
  'message.edit': (_, { conversationId: c, seq }) => ({ c, seq, body: 'edited' }),
  'message.delete': (_, { conversationId: c, seq }) => ({ c, seq }),
  'reaction.set': (_, { conversationId: c, seq }) => ({ c, seq, emoji: '👍', on: true }),
  'call.start': (_, { conversationId: c }) => ({ c, clientId: randomUUID(), media: 'audio' }),
  'call.accept': inCall,
  'call.decline': inCall,
  'call.end': inCall,
  'call.signal': async (cast, scene) => ({
    callId: await call(cast, scene),
    to: { userId: cast.people.member.id },
    data: {},
  }),
  sync: () => ({}),
  changes: (_, { conversationId: c }) => ({ c, after: 0 }),
  'user.changes': () => ({ after: 0 }),
  // Answered alike for everybody; strangers are not heard.
  typing: (_, { conversationId: c }) => ({ c, on: true }),
  'presence.activity': () => ({ state: 'active' }),
  'presence.watch': ({ people }) => ({ userIds: [people.owner.id] }),
};
