import { randomUUID } from 'node:crypto';
import type { MessageView } from '../../../src/modules/messages/dto/message.view.js';
import { patiently } from '../../support/patiently.js';
import type { Person } from '../../support/people.js';

export interface SendResult {
  message: MessageView;
  deduplicated: boolean;
}

/** A group of its creator and these members; answers its id. */
export async function createGroup(
  owner: Person,
  members: readonly Person[],
  input: Record<string, unknown> = {},
): Promise<string> {
  return create(owner, { type: 'group', title: 'Group', memberIds: members.map(({ id }) => id), ...input });
}

/** The conversation of a pair; answers its id. */
export const direct = (a: Person, b: Person): Promise<string> => create(a, { type: 'direct', memberIds: [b.id] });

async function create(owner: Person, input: Record<string, unknown>): Promise<string> {
  const { status, body } = await patiently(() => owner.post<{ id: string }>('/api/v1/conversations', input));
  if (status !== 201 && status !== 200) throw new Error(`create answered ${status}: ${JSON.stringify(body)}`);
  return body.id;
}

/** Sends and answers the stored message. */
export async function send(sender: Person, c: string, fields: Record<string, unknown> | string): Promise<MessageView> {
  const input = typeof fields === 'string' ? { body: fields } : fields;
  const { status, body } = await sender.post<SendResult>(`/api/v1/conversations/${c}/messages`, {
    clientId: randomUUID(),
    ...input,
  });
  if (status !== 201) throw new Error(`send answered ${status}: ${JSON.stringify(body)}`);
  return body.message;
}

/** The same person talking to another replica. */
export const acting = (person: Person, url: string): Person =>
  Object.assign(Object.create(Object.getPrototypeOf(person) as object) as Person, person, { url });
