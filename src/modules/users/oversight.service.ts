import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import { refuseTaken } from './accounts.service.js';
import { type AccountChange, type AccountQuery, type AccountView, toAccountView } from './dto/account.view.js';
import { type SessionView, toSessionView } from './dto/session.view.js';
import { findAccount, listAccounts, updateAccount } from './oversight.repository.js';
import { listSessions } from './sessions.repository.js';
import { UserUpdated } from './users.events.js';
import { lockUser } from './users.repository.js';

const LIST = 'admin.users';
const idPosition = z.tuple([z.uuid()]);

/** Accounts as those see and change them who look after the installation. */
@Injectable()
export class AccountOversight {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
  ) {}

  /** @throws forbidden, invalid_cursor */
  async list(actor: Actor, { query, state, cursor, limit }: AccountQuery): Promise<Page<AccountView>> {
    requirePermission(actor, 'users.read');
    const before = cursor === undefined ? null : decodeCursor(LIST, cursor, idPosition)[0];
    const rows = await listAccounts(this.database, { text: query, state }, before, limit + 1);
    return toPage(rows, limit, toAccountView, ({ id }) => encodeCursor(LIST, [id]));
  }

  /** Deleted ones too, as long as the row is kept. @throws forbidden, not_found */
  async get(actor: Actor, id: string): Promise<AccountView> {
    requirePermission(actor, 'users.read');
    const row = await findAccount(this.database, id);
    if (!row) throw notFound();
    return toAccountView(row);
  }

  /** @throws forbidden, not_found, already_exists */
  async update(actor: Actor, id: string, change: AccountChange, tx: Tx): Promise<void> {
    requirePermission(actor, 'users.write');
    if (!(await lockUser(tx, id))) throw notFound();
    const row = await refuseTaken(updateAccount(tx, id, change));
    if (!row) throw notFound();
    await this.events.publish(tx, new UserUpdated(id, row.rev));
  }

  /** @throws forbidden, not_found */
  async sessions(actor: Actor, id: string): Promise<SessionView[]> {
    await this.get(actor, id);
    const rows = await listSessions(this.database, id);
    return rows.map((row) => toSessionView(row, actor.sessionId));
  }
}
