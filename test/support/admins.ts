import { randomUUID } from 'node:crypto';
import { HttpClient } from './http-client.js';
import type { TestApp } from './app.js';
import { type Person, register } from './people.js';
import { AdministrationService } from '../../src/modules/administration/administration.service.js';
import { parseIdentifier } from '../../src/modules/users/users.rules.js';

/** An admin made as the command line makes one, signed in. */
export async function createAdmin({ app, url }: Pick<TestApp, 'app' | 'url'>): Promise<Person> {
  const address = `${randomUUID()}@example.com`;
  const password = `password-${randomUUID()}`;
  const identifier = parseIdentifier(address);
  if (!identifier) throw new Error('no identifier');
  const id = await app.nest.get(AdministrationService).createAdmin({ identifier, displayName: 'Admin', password });
  const { body } = await new HttpClient(url).post<{
    tokens: { accessToken: string; refreshToken: string; sessionId: string; deviceId: string };
  }>('/api/v1/auth/login', { identifier: address, password });
  return Object.assign(new HttpClient(url, body.tokens.accessToken), {
    ...body.tokens,
    id,
    identifier: address,
    password,
  });
}

/** Somebody new whom the admin gave these roles. */
export async function registerWithRoles(url: string, admin: HttpClient, ...roles: string[]): Promise<Person> {
  const person = await register(url, roles.join(' '));
  const { status } = await admin.put(`/api/v1/admin/users/${person.id}/roles`, { roles });
  if (status !== 200) throw new Error(`roles answered ${status}`);
  return person;
}
