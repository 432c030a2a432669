import { Injectable } from '@nestjs/common';
import { newCode, newId } from '../../platform/clock/clock.js';
import { constraintOf } from '../../platform/database/database-error.js';
import type { Tx } from '../../platform/database/db.js';
import { EventsService } from '../../platform/events/events.service.js';
import { taken } from './users.errors.js';
import { UserCreated } from './users.events.js';
import { insertUser, type NewUser, type UserRow } from './users.repository.js';

const pathOf: Record<string, string> = {
  users_handle_key: 'handle',
  users_email_key: 'identifier',
  users_phone_key: 'identifier',
};

/** Makes accounts, for whoever may. */
@Injectable()
export class AccountsService {
  constructor(private readonly events: EventsService) {}

  /** `password` is a hash. @throws already_exists with the path that is taken */
  async create(user: Omit<NewUser, 'id'>, tx: Tx): Promise<UserRow> {
    const row = await refuseTaken(insertUser(tx, { ...user, id: newId() }));
    await this.events.publish(tx, new UserCreated(row.id));
    return row;
  }
}

/** What people are called who came by a code or a token and have not said. */
export const unnamed = () => ({ displayName: `User ${newCode(6)}` });

/** Says which member of the request another account holds. */
export async function refuseTaken<Result>(write: Promise<Result>): Promise<Result> {
  try {
    return await write;
  } catch (error) {
    const path = pathOf[constraintOf(error) ?? ''];
    throw path === undefined ? error : taken(path);
  }
}
