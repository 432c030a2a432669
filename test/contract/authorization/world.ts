import { randomUUID } from 'node:crypto';
import { createAdmin, registerWithRoles } from '../../support/admins.js';
import type { TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, register } from '../../support/people.js';

/**
 * Who asks. `owner`, `admin` and `member` are roles in the conversation; `moderator` and `administrator` are those of the
 * installation and no members.
 */
export const personas = [
  'owner',
  'admin',
  'member',
  'exmember',
  'blocked',
  'stranger',
  'suspended',
  'anonymous',
  'moderator',
  'administrator',
] as const;
export type Persona = (typeof personas)[number];

/** The people of the matrix. `blocked` is a member whom the owner has blocked. */
export interface Cast {
  people: Record<Exclude<Persona, 'anonymous'>, Person>;
  /** One more plain member, on whom others act. */
  other: Person;
  /** Knows nobody. */
  bystander: Person;
  url: string;
}

/** What a request can be about; each conversation is made for one cell, so that no cell sees what another one did. */
export interface Scene {
  conversationId: string;
  /** A message of `member`. */
  seq: number;
  messageId: string;
}

export async function castFor(app: TestApp): Promise<Cast> {
  const { url } = app;
  const administrator = await createAdmin(app);
  const names = ['owner', 'admin', 'member', 'exmember', 'blocked', 'stranger', 'suspended'] as const;
  const people = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await register(url, name)] as const)),
  ) as Cast['people'];
  people.administrator = administrator;
  people.moderator = await registerWithRoles(url, administrator, 'moderator');
  await people.owner.put(`/api/v1/users/me/blocks/${people.blocked.id}`);
  await administrator.post(`/api/v1/admin/users/${people.suspended.id}/suspend`, { reason: 'test' });
  return { people, url, other: await register(url, 'other'), bystander: await register(url, 'bystander') };
}

export const clientOf = ({ people, url }: Cast, persona: Persona): HttpClient =>
  persona === 'anonymous' ? new HttpClient(url) : people[persona];

export async function sceneFor({ people, other }: Cast): Promise<Scene> {
  const { owner, admin, member, exmember } = people;
  // The blocked one cannot be added by who blocked them; they come by an invite.
  const { id } = await made(owner, '/api/v1/conversations', {
    type: 'group',
    title: 'Matrix',
    memberIds: [admin.id, member.id, exmember.id, other.id],
  });
  const path = `/api/v1/conversations/${String(id)}`;
  await owner.patch(`${path}/members/${admin.id}`, { role: 'admin' });
  await exmember.delete(`${path}/members/me`);
  const { code } = await made(owner, `${path}/invites`, {});
  await people.blocked.post(`/api/v1/invites/${String(code)}/accept`);
  const { message } = (await made(member, `${path}/messages`, {
    clientId: randomUUID(),
    body: 'Hello',
  })) as unknown as { message: { id: string; seq: number } };
  return { conversationId: String(id), seq: message.seq, messageId: message.id };
}

/** What a POST made; throws when it did not. */
export async function made(by: HttpClient, path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await by.post(path, body);
  if (answer.status >= 300) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
